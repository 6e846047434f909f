"""A service that answers httpx as it is told, and both clients before it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from strongbox_client import AsyncClient, Client, Patience

QUICK = Patience(first_wait_s=0.01)
HASTY = Patience(deadline_s=2.0, attempt_s=1.0, first_wait_s=0.01)
"""Gives up soon, though not before a busy machine has come to the first bytes of an answer."""

Service = Callable[[httpx.Request], httpx.Response]
Deed = Callable[[Any], Any]
"""Something done with a client, of either kind: what is to be awaited is."""


class Asked:
    """A service that answers as it is told, and notes what it was asked."""

    def __init__(self, answer: Service) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)


def in_turn(*answers: httpx.Response | Exception) -> Asked:
    """Each of these once."""
    rest = iter(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = next(rest)
        if isinstance(given, Exception):
            raise given
        return given

    return Asked(answer)


async def _done(result: Any) -> Any:
    if isinstance(result, Awaitable):
        return await result
    if hasattr(result, "__aiter__"):
        return [each async for each in result]
    return list(result) if hasattr(result, "__iter__") and not isinstance(result, tuple | str | bytes) else result


def by_blocking(service: Asked, deed: Deed, **how: Any) -> Any:
    with Client("http://service/base/", http=httpx.Client(transport=httpx.MockTransport(service)), **how) as client:
        return asyncio.run(_done(deed(client)))


def by_awaiting(service: Asked, deed: Deed, **how: Any) -> Any:
    async def do() -> Any:
        http = httpx.AsyncClient(transport=httpx.MockTransport(service))
        async with AsyncClient("http://service/base/", http=http, **how) as client:
            return await _done(deed(client))

    return asyncio.run(do())


EITHER = pytest.mark.parametrize("by", [by_blocking, by_awaiting])
