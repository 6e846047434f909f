"""/replay: events once more into a queue."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.platform.console.dead_letters import NO_QUEUES, without_queues
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.services import Replaying
from app.platform.console.visit import Visit, time_of, visit_of
from app.platform.http import queries
from app.platform.messaging.replay import Replayed
from app.platform.operations.actions import Actions
from app.platform.operations.replay_range import Range
from app.platform.process.progress import HowFar

MOST_OF_A_NAME: Final = 255
"""Octets of a queue's name, as AMQP has it."""
_RANGE: Final = ("since", "until", "queue")


def replay(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Replays, counted first."""
    services = desk.services

    @get("/replay")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        if services.replay is None:
            return without_queues(desk, visit, "Replay events")
        given = queries.parameters(request.scope["query_string"], frozenset(_RANGE))
        now = datetime.now(UTC)
        asked = {"since": _local(now - timedelta(hours=1)), "until": _local(now), "queue": services.queues[-1], **given}
        return desk.pages.page("replay.html", visit, asked=asked, queues=services.queues)

    @post("/replay")
    async def begin(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        wanted = _range(visit)
        dry_run = visit.value("run") != "yes"
        title = f"{'Counting for' if dry_run else 'Replaying into'} {wanted.queue}"
        record = services.record_of(visit.operator)
        run = partial(_run, _replaying(desk), record, wanted, dry_run)
        job = desk.work.begin(title, visit.operator, run)
        if dry_run:
            job.again = {"since": visit.value("since"), "until": visit.value("until"), "queue": wanted.queue}
        return redirect("/job")

    return [ask, begin]


def _replaying(desk: Desk) -> Replaying:
    if desk.services.replay is None:
        raise Rejected(404, NO_QUEUES)
    return desk.services.replay


def _range(visit: Visit) -> Range:
    since, until = (time_of(visit.value(name), told) for name, told in (("since", "from"), ("until", "to")))
    if until <= since:
        raise Rejected(400, "to has to be later than from")
    queue = visit.value("queue")
    if not 1 <= len(queue.encode()) <= MOST_OF_A_NAME:
        raise Rejected(400, f"a queue's name has 1 to {MOST_OF_A_NAME} octets")
    return Range(since, until, queue)


def _local(at: datetime) -> str:
    """The time as a field of a form has it."""
    return f"{at:%Y-%m-%dT%H:%M}"


async def _run(
    run: Replaying, record: Actions, wanted: Range, dry_run: bool, progress: HowFar, stop: asyncio.Event
) -> Sequence[str]:
    done = await run(record, wanted, dry_run, lambda _, events, of: progress(events, of), stop)
    return _outcome(done, wanted.queue, dry_run=dry_run)


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
