"""Log-ins are counted where they are answered, by their status."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from app.kernel.errors import Unavailable
from app.platform.http.errors import Problem
from app.platform.http.operations import Handler, Operation, Request
from app.platform.http.replies import Reply
from app.platform.http.streamed import Streamed

HOW: Final[Mapping[str, str]] = {
    "/v1/auth/login": "password",
    "/v1/auth/siwe": "wallet",
    "/v1/auth/refresh": "refresh",
    "/v1/auth/token": "client",
}
Observe = Callable[[str, str], None]
"""Told how somebody asked, and what came of it: `succeeded`, `refused`, `limited` or `unavailable`."""


def counted(operations: Sequence[Operation], observe: Observe) -> Sequence[Operation]:
    """The operations, with those that let somebody in counted."""
    return [
        replace(each, handler=_counting(each.handler, HOW[each.template], observe)) if each.template in HOW else each
        for each in operations
    ]


def _counting(handler: Handler, how: str, observe: Observe) -> Handler:
    async def count(request: Request) -> Reply | Streamed:
        with _failures(how, observe):
            reply = await handler(request)
        observe(how, _result(reply.status))
        return reply

    return count


@contextmanager
def _failures(how: str, observe: Observe) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        observe(how, _result(problem.status))
        raise
    except Unavailable:
        observe(how, "unavailable")
        raise


def _result(status: int) -> str:
    if status < 400:
        return "succeeded"
    return {429: "limited", 503: "unavailable"}.get(status, "refused")
