"""GET /dead-letters, and one of them: looking, which changes nothing."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.visit import Visit, integer_of, one_of, visit_of
from app.platform.http import queries
from app.platform.http.replies import Reply
from app.platform.messaging.dead_letter_ports import DeadLetter, DeadLetters
from app.platform.messaging.dead_letters import find

PAGE: Final = 50
SHOWN: Final = 65_536
"""Octets of a body that are shown."""
NO_QUEUES: Final = "there are no queues: the broker is inside the relay's process, or RABBITMQ_URL is not set"


def dead_letters(desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Messages that their consumer gave up."""

    @get("/dead-letters")
    async def listed(request: Request[Any, Any, Any]) -> ASGIApp:
        visit, letters = visit_of(request), desk.services.letters
        if letters is None:
            return without_queues(desk, visit, "Dead letters")
        given = queries.parameters(request.scope["query_string"], frozenset(("queue", "skip")))
        skip = integer_of(given.get("skip", "0"), "skip", 0, letters.window)
        asked = known(desk, given["queue"]) if "queue" in given else None
        counts = await letters.counts(desk.services.queues)
        queue = asked or next((name for name, count in counts.items() if count), desk.services.queues[0])
        found = (await letters.look(queue))[skip : skip + PAGE] if counts[queue] else []
        more = skip + PAGE if min(counts[queue], letters.window) > skip + PAGE else None
        return desk.pages.page(
            "dead_letters.html", visit, queue=queue, counts=counts, letters=found, skip=skip, more=more, page_size=PAGE,
        )  # fmt: skip

    @get("/dead-letters/{queue:str}/{letter_id:str}")
    async def one(request: Request[Any, Any, Any], queue: FromPath[str], letter_id: FromPath[str]) -> ASGIApp:
        letter = await the_one(desk, queue, letter_id)
        return desk.pages.page("dead_letter.html", visit_of(request), letter=letter, body=_body(letter.body))

    @get("/dead-letters/{queue:str}/{letter_id:str}/drop")
    async def ask(request: Request[Any, Any, Any], queue: FromPath[str], letter_id: FromPath[str]) -> ASGIApp:
        return desk.pages.page("drop.html", visit_of(request), letter=await the_one(desk, queue, letter_id))

    return [listed, one, ask]


def without_queues(desk: Desk, visit: Visit, heading: str) -> Reply:
    """The page in the place of one about queues: why there are none, what that leaves out, how to have them."""
    return desk.pages.page("no_queues.html", visit, heading=heading, in_process=desk.services.in_process)


def letters_of(desk: Desk) -> DeadLetters:
    """The dead letters.

    Raises:
        Rejected: there are no queues.
    """
    if desk.services.letters is None:
        raise Rejected(404, NO_QUEUES)
    return desk.services.letters


def known(desk: Desk, queue: str) -> str:
    """The queue, which is one that has dead letters.

    Raises:
        Rejected: it is not.
    """
    return one_of(queue, "the queue", desk.services.queues)


async def the_one(desk: Desk, queue: str, letter_id: str) -> DeadLetter:
    """The queue's dead letter with the id.

    Raises:
        Rejected: there are no queues, or not that one.
        DeadLetterNotFound: see `find`.
        Unavailable: the broker is out of reach.
    """
    (letter, *_) = await find(letters_of(desk), [known(desk, queue)], letter_id)
    return letter


def _body(body: bytes) -> str:
    """The body as text, in lines if it is JSON; not more of it than anybody reads."""
    if len(body) > SHOWN:
        return f"{body[:SHOWN].decode(errors='replace')}\n… {len(body) - SHOWN:,} octets more"
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        lines = msgspec.json.format(body)
        if len(lines) <= SHOWN:  # a few brackets around many values are megabytes of blanks
            return lines.decode()
    return body.decode(errors="replace")
