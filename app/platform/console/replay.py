"""/replay and /job: events once more into a queue, and the long work that is under way."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.adapters.console.desk import Desk
from app.adapters.console.errors import Rejected
from app.adapters.console.pages import redirect
from app.adapters.console.routes.dead_letters import NO_QUEUES
from app.adapters.console.services import Progress, Replaying
from app.adapters.console.visit import Visit, time_of, visit_of
from app.adapters.http import queries
from app.application.actions import Actions
from app.application.outbox.replay import Replayed

MOST_OF_A_NAME: Final = 255
"""Octets of a queue's name, as AMQP has it."""
_RANGE: Final = ("since", "until", "queue")


def replay(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Replays, counted first, and what is under way."""
    services = desk.services

    def replaying() -> Replaying:
        if services.replay is None:
            raise Rejected(404, NO_QUEUES)
        return services.replay

    @get("/replay")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        replaying()
        given = queries.parameters(request.scope["query_string"], frozenset(_RANGE))
        now = datetime.now(UTC)
        asked = {"since": _local(now - timedelta(hours=1)), "until": _local(now), "queue": services.queues[-1], **given}
        return desk.pages.page("replay.html", visit_of(request), asked=asked, queues=services.queues)

    @post("/replay")
    async def begin(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        since, until, queue = _range(visit)
        dry_run = visit.value("run") != "yes"
        title = f"{'Counting for' if dry_run else 'Replaying into'} {queue}"
        record = services.record_of(visit.operator)
        run = partial(_run, replaying(), record, since, until, queue, dry_run)
        job = desk.work.begin(title, visit.operator, run)
        if dry_run:
            job.again = {"since": visit.value("since"), "until": visit.value("until"), "queue": queue}
        return redirect("/job")

    @get("/job")
    async def show(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("work.html", visit_of(request))

    @get("/live/job")
    async def part(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("_work.html", visit_of(request))

    @post("/job/cancel")
    async def cancel(request: Request[Any, Any, Any]) -> ASGIApp:
        """Stopping does not wait for the record: it does no harm."""
        job = desk.work.job
        if job is not None and job.under_way:
            desk.work.cancel()
            details = {"work": job.title, "begun_by": job.operator}
            await services.record_of(visit_of(request).operator).record("job cancel", details)
        return redirect("/job")

    return [ask, begin, show, part, cancel]


def _range(visit: Visit) -> tuple[datetime, datetime, str]:
    since, until = (time_of(visit.value(name), told) for name, told in (("since", "from"), ("until", "to")))
    if until <= since:
        raise Rejected(400, "to has to be later than from")
    queue = visit.value("queue")
    if not 1 <= len(queue.encode()) <= MOST_OF_A_NAME:
        raise Rejected(400, f"a queue's name has 1 to {MOST_OF_A_NAME} octets")
    return since, until, queue


def _local(at: datetime) -> str:
    """The time as a field of a form has it."""
    return f"{at:%Y-%m-%dT%H:%M}"


async def _run(
    run: Replaying, record: Actions, since: datetime, until: datetime, queue: str, dry_run: bool, progress: Progress,
    stop: asyncio.Event,
) -> Sequence[str]:  # fmt: skip
    return _outcome(await run(record, since, until, queue, dry_run, progress, stop), queue, dry_run=dry_run)


def _outcome(done: Replayed, queue: str, *, dry_run: bool) -> Sequence[str]:
    lines = [f"{done.events:,} event(s) {'would go' if dry_run else 'published'} into {queue}"]
    lines += [f"{kind}: {count:,}" for kind, count in sorted(done.by_type.items())]
    if done.first_at and done.last_at:
        lines.append(f"they occurred from {_precise(done.first_at)} to {_precise(done.last_at)}")
    if done.stopped:
        again = f", or goes on from {_precise(done.last_at)}" if done.last_at else ""
        lines.append(f"stopped before the end: the same again does no harm{again}")
    return lines


def _precise(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
