"""GET /mints and /mints/{id}: the newest requests for tokens, and all for one entry."""

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.mint.adapters.postgres.stories import STATES, Place, RequestStory, newest, stories_of
from app.contexts.mint.domain.next_step import next_of
from app.contexts.mint.domain.request import RequestStatus
from app.kernel.moments import Moment
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.visit import one_of, time_of, uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50
_LIST: Final = frozenset(("state", "address", "before"))
_ADDRESS: Final = re.compile("0x[0-9a-f]{40}")


class RequestUnknown(Exception):  # noqa: N818 -- it says what is not there
    """Nobody asked for it."""


def mints(url: str, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Requests: the newest by state and address, and those for one entry with what became of each."""

    @get("/mints")
    async def lately(request: Request[Any, Any, Any]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], _LIST)
        state = one_of(given.get("state") or "all", "state", STATES)
        address = _address(given["address"]) if given.get("address") else None
        before = _place(given["before"]) if given.get("before") else None
        found = await newest(url, state, address, before, PAGE + 1)
        shown, last = found.requests[:PAGE], found.requests[PAGE - 1] if len(found.requests) > PAGE else None
        return desk.pages.page(
            "mints.html", visit_of(request), requests=shown, counts=found.counts, state=state, states=STATES,
            address=address, first=before is None,
            older=f"{last.created_at.isoformat()}_{last.request_id}" if last else None,
        )  # fmt: skip

    @get("/mints/{id:str}")
    async def one(request: Request[Any, Any, Any], id: FromPath[str]) -> ASGIApp:
        wanted = uuid_of(id, "the id of a request, or of an entry")
        stories = await stories_of(url, wanted)
        if not stories:
            raise RequestUnknown(f"there is no request {wanted}, and none for an entry {wanted}")
        told = [(story, moments_of(story), next_of(RequestStatus(story.status), story.reason)) for story in stories]
        return desk.pages.page("mint.html", visit_of(request), stories=told, wanted=wanted)

    return [lately, one]


def moments_of(story: RequestStory) -> Sequence[Moment]:
    """What happened to a request, the first first."""
    happened = [Moment(story.created_at, "mint", "asked for", {"entry_id": str(story.entry_id)})]
    if story.submitted_at:
        happened.append(Moment(story.submitted_at, "mint", "the adapter has it"))
    if story.settled_at:
        details = {"tx_hash": story.tx_hash, "reason": story.reason}
        happened.append(Moment(story.settled_at, "mint", story.status, details))
    if story.sent_at:
        happened.append(Moment(story.sent_at, "outbox", "told to rewards", {"event_id": str(story.event_id)}))
    return sorted(happened, key=lambda moment: moment.at)


async def page_of_a_request(url: str, wanted: UUID) -> str | None:
    """The path of the page of the request, or the entry, with that id, if there is one. Raises Unavailable."""
    return f"/mints/{wanted}" if await stories_of(url, wanted) else None


async def page_of_an_address(text: str) -> str | None:
    """The path of what was asked for to the address, if it is one."""
    return f"/mints?address={text}" if _ADDRESS.fullmatch(text) else None


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text.strip().lower()):
        raise Rejected(400, "address must be 0x and 40 hexadecimal digits")
    return text.strip().lower()


def _place(text: str) -> Place:
    at, _, request_id = text.partition("_")
    return Place(time_of(at, "before"), uuid_of(request_id, "before"))
