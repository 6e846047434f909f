"""Questions that are answered together: whoever asks while others are being answered waits for the next round."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextvars import Context
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class AskedTogether(Generic[K, V]):
    """One round at a time, of all that is asked by then. `read` answers what has an answer."""

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        # A future each: a waiter that is cancelled takes the answer from nobody else.
        self._next: dict[K, list[asyncio.Future[V | None]]] = {}
        self._work: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V | None:
        """The answer, if there is one. Raises what reading raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | None] = loop.create_future()
        self._next.setdefault(key, []).append(answer)
        if self._work is None:
            # A round is nobody's: what is logged of it has not the first one's request id.
            self._work = loop.create_task(self._answer_all(), context=Context())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._next:
                await asyncio.sleep(0)  # whoever is about to ask comes along
                asked, self._next = self._next, {}
                await self._answer(asked)
        finally:
            self._work = None

    async def _answer(self, asked: Mapping[K, "list[asyncio.Future[V | None]]"]) -> None:
        try:
            found = await self._read(asked.keys())
        except Exception as error:  # whatever it is, it is said to those who wait
            for answer in _waiting(asked):
                answer.set_exception(error)
        else:
            for key, answers in asked.items():
                value = found.get(key)
                for answer in answers:
                    if not answer.done():
                        answer.set_result(value)
        finally:
            for answer in _waiting(asked):
                answer.cancel()  # if the process ends


def _waiting(asked: Mapping[K, "list[asyncio.Future[V | None]]"]) -> "Iterator[asyncio.Future[V | None]]":
    """Those that nobody has answered, nor left."""
    return (answer for answers in asked.values() for answer in answers if not answer.done())
