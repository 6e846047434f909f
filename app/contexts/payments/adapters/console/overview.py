"""GET / and what keeps it up to date."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.contexts.payments.adapters.console.breakers import Breaker
from app.contexts.payments.adapters.console.chart import chart
from app.contexts.payments.application.activity import SLOTS, Beat, History, Pulse, Result
from app.kernel.errors import Unavailable
from app.platform.console.desk import Desk
from app.platform.console.errors import out_of_reach
from app.platform.console.page import HOME
from app.platform.console.visit import Visit, visit_of
from app.platform.http.replies import Reply


@dataclass(slots=True)
class Activity:
    """What was seen of payments last. `trouble` says why they cannot be counted."""

    history: History = field(default_factory=History)
    beat: Beat | None = None
    trouble: str | None = None
    breakers: Sequence[Breaker] = ()

    async def count(self, pulse: Pulse) -> None:
        """Look at what has ended since."""
        try:
            beat = await pulse.beat(self.history.last, SLOTS)
        except Unavailable as error:
            self.beat, self.trouble = None, out_of_reach(error)
        else:
            self.history.add(beat)
            self.beat, self.trouble = beat, None


def overview(
    pulse: Pulse, breakers: Callable[[], Awaitable[Sequence[Breaker]]], desk: Desk
) -> Sequence[HTTPRouteHandler]:
    """What is happening now."""
    activity = Activity()

    async def count() -> None:
        await activity.count(pulse)

    async def look_at_breakers() -> None:
        activity.breakers = await breakers()

    desk.watch.add(count)
    desk.watch.add(look_at_breakers, costly=True)

    async def page(template: str, visit: Visit) -> Reply:
        seen = await desk.watch.seen()
        totals = activity.history.totals()
        return desk.pages.page(
            template, visit, seen=seen, activity=activity, results=[(result, totals[result]) for result in Result],
            chart=chart(activity.history), without_queues=desk.services.letters is None,
        )  # fmt: skip

    @get(HOME)
    async def whole(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page("overview.html", visit_of(request))

    @get("/live/overview")
    async def part(request: Request[Any, Any, Any]) -> ASGIApp:
        return await page("_overview.html", visit_of(request))

    return [whole, part]
