"""Lists that are too long for one answer."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from strongbox_client.calls import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page. `next_cursor` asks for the next one (`cursor=…`, with the same filters); None on the last."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Pages(Generic[T]):
    """All that a list has: iterate over it, and pages are asked for as they are needed."""

    ask: Callable[[Call[Page[T]]], Page[T]]
    first: Call[Page[T]]

    def __iter__(self) -> Iterator[T]:
        for page in self.by_page():
            yield from page.items

    def by_page(self) -> Iterator[Page[T]]:
        """The pages."""
        call: Call[Page[T]] | None = self.first
        while call is not None:
            page = self.ask(call)
            yield page
            call = _next(call, page)


@dataclass(frozen=True, slots=True)
class AsyncPages(Generic[T]):
    """The same, for `async for`."""

    ask: Callable[[Call[Page[T]]], Coroutine[Any, Any, Page[T]]]
    first: Call[Page[T]]

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.by_page():
            for item in page.items:
                yield item

    async def by_page(self) -> AsyncIterator[Page[T]]:
        """The pages."""
        call: Call[Page[T]] | None = self.first
        while call is not None:
            page = await self.ask(call)
            yield page
            call = _next(call, page)


def _next(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    return None if page.next_cursor is None else call.after(page.next_cursor)
