"""POST /dead-letters/…: putting back, and dropping."""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.platform.console.dead_letters import known, letters_of, the_one
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.pages import redirect
from app.platform.console.visit import visit_of
from app.platform.messaging import dead_letters as mend
from app.platform.process.progress import HowFar


def mending(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """What operators do about dead letters."""
    record_of = desk.services.record_of

    @post("/dead-letters/redrive")
    async def redrive(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        queue = known(desk, visit.value("queue"))
        if "id" not in visit.form:
            raise Rejected(400, "choose what is to be put back")
        await mend.redrive(letters_of(desk), record_of(visit.operator), [queue], visit.values("id"))
        desk.watch.changed()
        return redirect(f"/dead-letters?queue={queue}")

    @post("/dead-letters/redrive-all")
    async def redrive_all(request: Request[Any, Any, Any]) -> ASGIApp:
        visit = visit_of(request)
        letters, record, queue = letters_of(desk), record_of(visit.operator), known(desk, visit.value("queue"))

        async def run(progress: HowFar, stop: asyncio.Event) -> Sequence[str]:
            moved = await mend.redrive_all(letters, record, [queue], progress, stop)
            desk.watch.changed()
            lines = [f"{count:,} put back into {name}" for name, count in moved.items()]
            return [*lines, "stopped before the end: the same again goes on"] if stop.is_set() else lines

        desk.work.begin(f"Putting all dead letters back into {queue}", visit.operator, run)
        return redirect("/job")

    @post("/dead-letters/{queue:str}/{letter_id:str}/drop")
    async def drop(request: Request[Any, Any, Any], queue: FromPath[str], letter_id: FromPath[str]) -> ASGIApp:
        letter = await the_one(desk, queue, letter_id)
        await mend.drop(letters_of(desk), record_of(visit_of(request).operator), letter)
        desk.watch.changed()
        return redirect(f"/dead-letters?queue={queue}")

    return [redrive, redrive_all, drop]
