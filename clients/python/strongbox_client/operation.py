"""An operation is its signature: what it takes, where that goes, and what it answers are read from it.

    class Wallet(Resource[W]):
        @operation("POST", "/v1/wallet/send")
        def send(self, *, to: str, amount: int, currency: str, note: str | None = None, key: Key = None) -> Transfer:
            '''Send money to another user.'''

Its arguments go into the path where its template names them, into the query of a GET, else into the body as members.
What is left out is not sent. `Client` has it as a method that answers a `Transfer`, `AsyncClient` as one to await.
"""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload
from urllib.parse import quote
from uuid import uuid4

import msgspec
from msgspec import UNSET

from strongbox_client.calls import Again, Answer, Call, Who
from strongbox_client.pages import AsyncPages, Page, Pages
from strongbox_client.signature import IDEMPOTENCY_KEY, Argument, Head, argument_of, pairs, reading
from strongbox_client.values import encoded, text_of

P = ParamSpec("P")
T = TypeVar("T")


class Blocking:
    """The way of `Client`: a call answers."""


class Awaiting:
    """The way of `AsyncClient`: a call is awaited."""


W = TypeVar("W", Blocking, Awaiting)


class Caller(Protocol):
    """A client, as operations see it."""

    def call(self, call: Call[Any]) -> Any:
        """What the call answers, or what answers it when it is awaited."""
        ...

    def pages(self, call: Call[Any]) -> Any:
        """What is on the pages, one after the other."""
        ...

    def stream(self, call: Call[Any]) -> Any:
        """What it goes on telling."""
        ...


class Resource(Generic[W]):
    """Operations that belong together."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller


class Described(Generic[P, T]):
    """A method of a path, with what it takes and answers."""

    def __init__(self, function: Callable[Concatenate[Any, P], Any], head: Head) -> None:
        self.head = head
        self._signature = inspect.signature(function)
        hints = inspect.get_annotations(function)
        self.arguments = tuple(
            argument_of(one, hints[one.name], head)
            for one in [*self._signature.parameters.values()][1:]  # behind `self`
        )
        self.answer = hints["return"]
        self.read = self._reader()
        self.function = function
        self.__doc__ = function.__doc__

    def call(self, *arguments: P.args, **named: P.kwargs) -> Call[T]:
        """The request with these arguments."""
        given = self._signature.bind(None, *arguments, **named)
        given.apply_defaults()
        values = [(one, given.arguments[one.name]) for one in self.arguments]
        said = [(one, value) for one, value in values if value is not UNSET and (value, one.default) != (None, None)]
        headers = {one.wire_name: one.text(value) for one, value in said if one.where == "header"}
        key = headers.setdefault(IDEMPOTENCY_KEY, uuid4().hex) if self.is_keyed else None
        path = {one.name: quote(text_of(value), safe="") for one, value in said if one.where == "path"}
        body, media_type = self._body(said)
        return Call(
            name=f"{self.head.method} {self.head.template}",
            method=self.head.method,
            path=self.head.template.format_map(path),
            who=self.head.who,
            again=self.again,
            read=self.read,
            query=tuple(pair for one, value in said if one.where == "query" for pair in pairs(one.wire_name, value)),
            headers=(*headers.items(), *([("Content-Type", media_type)] if media_type else [])),
            body=body,
            key=key,
        )

    @property
    def is_keyed(self) -> bool:
        """Whether it is done once for each key."""
        return any(one.wire_name == IDEMPOTENCY_KEY for one in self.arguments)

    @property
    def again(self) -> Again:
        """When it may be repeated."""
        if self.is_keyed:
            return Again.BY_KEY
        return Again.ALWAYS if self.head.repeats or self.head.method == "GET" else Again.NEVER

    def bound(self, ask: Callable[[Call[Any]], Any]) -> Callable[P, Any]:
        """The method that asks."""

        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return ask(self.call(*arguments, **named))

        functools.update_wrapper(method, self.function)
        vars(method)["__signature__"] = self._signature.replace(
            parameters=[*self._signature.parameters.values()][1:]  # without `self`
        )
        return method

    def _reader(self) -> Callable[[Answer], Any]:
        return reading(self.answer, self.head.member)

    def _body(self, said: list[tuple[Argument, Any]]) -> tuple[bytes | None, str | None]:
        raw = [(one.wire_name, value) for one, value in said if one.where == "body"]
        if raw:
            ((media_type, value),) = raw
            return value, media_type
        if not any(one.where == "member" for one in self.arguments):
            return None, None
        return encoded({one.wire_name: value for one, value in said if one.where == "member"}), "application/json"


class Operation(Described[P, T]):
    """One that is answered."""

    def __init__(self, function: Callable[Concatenate[Any, P], T], head: Head) -> None:
        super().__init__(function, head)

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Awaiting], owner: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: Any) -> Any:
        """The method of a client that it is; itself of the class."""
        return self if instance is None else self.bound(instance._caller.call)


class Listing(Described[P, Page[T]], Generic[P, T]):
    """One that answers pages. Its answer is one of what is on them, and `head.member` what a page calls that."""

    def __init__(self, function: Callable[Concatenate[Any, P], T], head: Head) -> None:
        super().__init__(function, head)

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: Resource[Blocking], owner: Any) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(self, instance: Resource[Awaiting], owner: Any) -> Callable[P, AsyncPages[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: Any) -> Any:
        """The method of a client that it is; itself of the class."""
        return self if instance is None else self.bound(instance._caller.pages)

    def _reader(self) -> Callable[[Answer], Any]:
        items: Any = ("items", list[self.answer], msgspec.field(name=self.head.member))  # type: ignore[name-defined]
        wire = msgspec.defstruct("Page", [items, ("next_cursor", str | None)])
        read = reading(wire, None)

        def page(answer: Answer) -> Page[Any]:
            found = read(answer)
            return Page(found.items, found.next_cursor)

        return page


class Stream(Described[P, T]):
    """One that goes on telling."""

    def __init__(self, function: Callable[Concatenate[Any, P], T], head: Head) -> None:
        super().__init__(function, head)

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: Resource[Blocking], owner: Any) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, instance: Resource[Awaiting], owner: Any) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, instance: Resource[Any] | None, owner: Any) -> Any:
        """The method of a client that it is; itself of the class."""
        return self if instance is None else self.bound(instance._caller.stream)


def operation(
    method: str, template: str, member: str | None = None, *, repeats: bool = False, who: Who | None = None
) -> Callable[[Callable[Concatenate[Any, P], T]], Operation[P, T]]:
    """Makes an operation of a signature."""
    return lambda function: Operation(function, Head(method, template, who or _who(template), member, repeats))


def listing(template: str, member: str) -> Callable[[Callable[Concatenate[Any, P], T]], Listing[P, T]]:
    """Makes one that answers pages of what the signature answers."""
    return lambda function: Listing(function, Head("GET", template, _who(template), member))


def stream(template: str) -> Callable[[Callable[Concatenate[Any, P], T]], Stream[P, T]]:
    """Makes one that goes on telling what the signature answers."""
    return lambda function: Stream(function, Head("GET", template, _who(template)))


def _who(template: str) -> Who:
    return Who.API_KEY if template.startswith("/wallets/") else Who.CREDENTIAL
