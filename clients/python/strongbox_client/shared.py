"""What both clients share: whom they ask and as who, and how httpx is told and heard."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Self, TypedDict

import httpx

from strongbox_client.calls import Call
from strongbox_client.credentials import Credential
from strongbox_client.errors import NoAnswer
from strongbox_client.operation import W
from strongbox_client.operations import Operations
from strongbox_client.terms import Give, Open, Read, Send, Step, StreamTalk, Terms
from strongbox_client.version import VERSION

_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_TO_BE_SENT: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
IN_VAIN: Final = (httpx.TransportError, httpx.DecodingError)
"""What httpx raises where there is no answer."""


class AnyClient(Operations[W], ABC):
    """A client, and views of it with other terms."""

    def __init__(self, terms: Terms, make_lock: Callable[[], Any]) -> None:
        super().__init__(self)
        self._terms = terms
        self._make_lock = make_lock
        self._lock = make_lock()

    @abstractmethod
    def call(self, call: Call[Any]) -> Any:
        """What the call answers."""

    @abstractmethod
    def pages(self, call: Call[Any]) -> Any:
        """What is on its pages."""

    @abstractmethod
    def stream(self, call: Call[Any]) -> Any:
        """What it goes on telling."""

    def acting_as(self, credential: Credential | None) -> Self:
        """This client, with its connections, as somebody else, or nobody."""
        view = self._with(replace(self._terms, credential=credential))
        view._lock = self._make_lock()
        return view

    def within(self, deadline_s: float) -> Self:
        """This client, with another time for each call."""
        return self._with(replace(self._terms, patience=replace(self._terms.patience, deadline_s=deadline_s)))

    def _with(self, terms: Terms) -> Self:
        view = copy.copy(self)
        view._caller = view
        view._terms = terms
        return view


class Request(TypedDict):
    """A request in the words of httpx' `stream`."""

    method: str
    url: str
    params: Any
    headers: list[tuple[str, str]]
    content: bytes | None
    timeout: httpx.Timeout


def request(send: Send, silence_s: float | None = None) -> Request:
    """What is to be sent, and how long it may take to come, each piece of it `silence_s` where it goes on."""
    return Request(
        method=send.method,
        url=send.url,
        params=send.query,
        headers=[*send.headers, ("User-Agent", f"strongbox-client/{VERSION}")],
        content=send.body,
        timeout=httpx.Timeout(send.timeout_s, read=silence_s or send.timeout_s),
    )


def in_time(send: Send, terms: Terms) -> None:
    """See to it that an answer comes to its end: httpx' time-outs are for each piece of it.

    Raises:
        httpx.ReadTimeout: it does not.
    """
    if terms.clock() > send.until:
        raise httpx.ReadTimeout("the answer was not whole in time")


def no_answer(error: Exception) -> NoAnswer:
    """Why there is none.

    Raises:
        httpx.TransportError: nothing can be sent like that: the URL's scheme is none, or a header malformed.
    """
    if isinstance(error, _NOT_TO_BE_SENT):
        raise error
    none = NoAnswer(f"{type(error).__name__}: {error}", was_sent=not isinstance(error, _NOT_SENT))
    none.__cause__ = error
    return none


def next_of(talk: StreamTalk, heard: Any) -> Step | Open | Read | Give | None:
    """What a conversation wants next; None at its end."""
    try:
        return talk.send(heard)
    except StopIteration:
        return None
