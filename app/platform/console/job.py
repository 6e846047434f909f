"""/job: the long work that is under way."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.pages import redirect
from app.platform.console.visit import visit_of


def job(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What is under way, and cancelling it."""

    @get("/job")
    async def show(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("work.html", visit_of(request))

    @get("/live/job")
    async def part(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("_work.html", visit_of(request))

    @post("/job/cancel")
    async def cancel(request: Request[Any, Any, Any]) -> ASGIApp:
        """Stopping does not wait for the record: it does no harm."""
        the_job = desk.work.job
        if the_job is not None and the_job.under_way:
            desk.work.cancel()
            details = {"work": the_job.title, "begun_by": the_job.operator}
            await desk.services.record_of(visit_of(request).operator).record("job cancel", details)
        return redirect("/job")

    return [show, part, cancel]
