"""A node, asked by JSON-RPC: several calls in one request, each with a deadline, and no answer believed unseen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import httpx
import msgspec

from app.contexts.chain.domain.refusals import ChainAway
from app.platform.outgoing.json_posts import JsonPosts
from app.platform.outgoing.transport import Http1Transport

MOST_BODY_BYTES: Final = 16 * 1024 * 1024
"""Answers with thousands of events or receipts."""
CONNECTIONS: Final = 8
TIMEOUT_S: Final = 5.0
SINGLY_S: Final = 60.0
"""So long calls go one by one to a node that did not answer to all of several; then several are tried again."""
_NO_ANSWER: Final = frozenset((401, 403, 404, 408, 429))
"""Of the statuses that say whose fault it is those that say nothing of what was asked for."""

Call = tuple[str, Sequence[Any]]
"""A method, and what it is called with."""


class RpcError(Exception):
    """The node's answer is an error. Its text is the node's, and goes no further than to who reads it."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(f"the node answers with error {code}")
        self.code = code
        self.message = message
        self.data = data


class Garbled(ChainAway):
    """An answer that is longer than any that we take, or cut short."""


class _Unwelcome(ChainAway):
    """What was sent is nothing that the node takes."""


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    data: Any = None


class _Answer(msgspec.Struct):
    id: int | None = None
    result: Any = None
    error: _Error | None = None


_decoder: msgspec.json.Decoder[list[_Answer] | _Answer] = msgspec.json.Decoder(list[_Answer] | _Answer)


class Node:
    """The node at a URL."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport) -> None:
        self._posts = JsonPosts(url, transport)
        self._singly_until = 0.0

    async def ask(self, *calls: Call, timeout_s: float = TIMEOUT_S, in_order: bool = False) -> list[Any]:
        """What each call answers: an `RpcError` where that is one. Where the order matters, and the node takes one at
        a time, each waits for the answer to the one before.

        Raises:
            ChainAway: there was no answer, or none that can be read.
        """
        loop = asyncio.get_running_loop()
        if len(calls) > 1 and loop.time() >= self._singly_until:
            answers = await self._at_once(calls, loop.time() + timeout_s)
            if answers is not None:
                return answers
            self._singly_until = loop.time() + SINGLY_S
        found: list[Any] = []
        at_once = 1 if in_order else CONNECTIONS
        for start in range(0, len(calls), at_once):
            deadline = loop.time() + timeout_s
            found += await asyncio.gather(*(self._one(call, deadline) for call in calls[start : start + at_once]))
        return found

    async def call(self, method: str, *params: Any, timeout_s: float = TIMEOUT_S) -> Any:
        """What the call answers.

        Raises:
            RpcError: that is an error.
            ChainAway: there was no answer, or none that can be read.
        """
        (answer,) = await self.ask((method, params), timeout_s=timeout_s)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        """Close its connections at the end."""
        try:
            yield self
        finally:
            await self._posts.aclose()

    async def _at_once(self, calls: Sequence[Call], deadline: float) -> list[Any] | None:
        """What the calls, sent in one request, are answered. None where the node takes none like that, or not as many:
        some answer to one of them alone, some to none, some with a status."""
        try:
            answers = await self._post([_request(number, call) for number, call in enumerate(calls)], deadline)
        except _Unwelcome:
            return None
        found = {} if isinstance(answers, _Answer) else {answer.id: answer for answer in answers}
        if found.keys() != set(range(len(calls))):
            return None
        return [_read(found[number]) for number in range(len(calls))]

    async def _one(self, call: Call, deadline: float) -> Any:
        answer = await self._post(_request(0, call), deadline)
        if isinstance(answer, list) or answer.id not in (0, None):
            raise ChainAway("the node answers something else")
        return _read(answer)

    async def _post(self, asked: object, deadline: float) -> list[_Answer] | _Answer:
        try:
            status, body = await self._posts.send(asked, deadline)
        except httpx.RemoteProtocolError:
            raise Garbled("the node's answer is too long, or cut short") from None
        except (TimeoutError, httpx.TransportError) as error:
            raise ChainAway(f"the node of EVM_RPC_URL does not answer: {type(error).__name__}") from None
        if status != 200:
            return _refusal(status, body)
        try:
            return _decoder.decode(body)
        except (ValueError, RecursionError):  # every msgspec error is a ValueError; deep nesting is not
            raise ChainAway("the node's answer is not JSON-RPC") from None


def node_at(url: str) -> Node:
    """The node at the URL."""
    return Node(url, Http1Transport(CONNECTIONS, MOST_BODY_BYTES))


def number(answer: object) -> int:
    """A quantity: 0x and hexadecimal digits.

    Raises:
        ChainAway: it is none.
    """
    if isinstance(answer, str) and answer.startswith("0x"):
        try:
            return int(answer, 16)
        except ValueError:
            pass
    raise ChainAway("the node answers with what is no number")


def _refusal(status: int, body: bytes) -> _Answer:
    """What the node says with a status that is not 200: some tell their errors so.

    Raises:
        ChainAway: that is no answer.
    """
    away = f"the node of EVM_RPC_URL answers with HTTP status {status}"
    if not 400 <= status < 500 or status in _NO_ANSWER:
        raise ChainAway(away)
    try:
        answer = _decoder.decode(body)
    except (ValueError, RecursionError):
        raise _Unwelcome(away) from None
    if isinstance(answer, _Answer) and answer.error is not None:
        return answer
    raise _Unwelcome(away)


def _request(number: int, call: Call) -> dict[str, Any]:
    method, params = call
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _read(answer: _Answer) -> Any:
    if answer.error is None:
        return answer.result
    return RpcError(answer.error.code, answer.error.message, answer.error.data)
