"""Work that leaves something behind on its way: what is answered when it takes longer than a request may."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.platform.http.inflight import PATIENCE_S, InFlight

Made = TypeVar("Made")
R = TypeVar("R")
P = TypeVar("P")


async def watched(
    in_flight: InFlight,
    begin: Callable[[Callable[[Made], None]], Coroutine[Any, Any, R]],
    deadline: float,
    made: list[Made],
    pending: Callable[[Made], P],
) -> R | P:
    """The work's result, from a task of its own: neither the client's leaving nor the deadline cuts it off half-way.

    What it makes is in `made` as soon as that exists; past the deadline it is `pending`.

    Raises:
        Unavailable: nothing was made by the deadline, or the process ends.
    """
    if in_flight.draining:
        raise in_flight.not_done()
    task = in_flight.start(begin(made.append))
    if await in_flight.wait(task, deadline + PATIENCE_S):
        return task.result()
    if not made:
        raise in_flight.not_done()
    return pending(made[0])
