"""Work of a request that goes on to its end, whoever waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from app.platform.context import Http

T = TypeVar("T")


async def finished(http: "Http", work: Coroutine[Any, Any, T]) -> T:
    """The result of work that leaves a trace, which nobody's patience cuts off half-way.

    Raises:
        Unavailable: it takes longer than a request may; it goes on.
    """
    task = http.in_flight.start(work)
    if await http.in_flight.wait(task, asyncio.get_running_loop().time() + http.timeout_s):
        return task.result()
    raise http.in_flight.not_done()
