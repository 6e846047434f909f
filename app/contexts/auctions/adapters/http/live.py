"""GET /v1/auctions/{id}/live."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.contexts.auctions.adapters.http import errors, examples
from app.contexts.auctions.adapters.http.auctions import TAG, shown_to
from app.contexts.auctions.adapters.http.parameters import AUCTION
from app.contexts.auctions.adapters.http.views import AuctionEventView
from app.contexts.auctions.application.watch import TooSlow, Watch, Watching
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.event_stream import LAST_EVENT_ID, MEDIA_TYPE, event, event_stream, say_events
from app.platform.http.operations import MAYBE_BEARER, Operation, Request, Success
from app.platform.http.replies import NO_CONTENT, Reply
from app.platform.http.streamed import Streamed
from app.platform.http.streams import Ending, Stream

_LIVE: Final = "/v1/auctions/{id}/live"
_STATE: Final = "state"

_DESCRIPTION: Final = (
    "Server-sent events, for `EventSource`: `state` first, then `bid`, `extended`, `ended` and `cancelled`, each with "
    "the auction as it stands from then on, and an id without gaps. With `Last-Event-ID` all that came behind it, and "
    "no `state`. It is over behind the last event, and when the token ends or its user logs out. Who takes too slowly "
    "is cut off, and goes on by that header. A comment comes every 15 seconds."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The handler, with what it needs."""

    watch: Watch
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of watching auctions."""
        return [
            Operation(
                method="GET",
                template=_LIVE,
                name="watchAuction",
                tag=TAG,
                summary="Watch an auction",
                description=_DESCRIPTION,
                who=MAYBE_BEARER,
                handler=self.watch_auction,
                parameters=(AUCTION, LAST_EVENT_ID),
                successes=(_STREAM, _OVER),
                refusals=(errors.NO_SUCH_AUCTION, codes.UNAVAILABLE),
            )
        ]

    async def watch_auction(self, request: Request) -> Reply | Streamed:
        """Its events, or nothing where there will be none."""
        reading = self.watch.standing(request.tenant_id, request[AUCTION])
        seen = await self.http.in_flight.read(reading, self.http.timeout_s)
        watching = self.watch.begin(seen.auction, request[LAST_EVENT_ID])
        if watching is None:
            return Reply(NO_CONTENT, b"")
        first = b""
        if watching.begins_anew:
            first = event(_STATE, seen.auction.last_event_id, shown_to(request, seen))
        return event_stream(partial(_say, watching, first))


async def _say(watching: Watching, first: bytes, stream: Stream) -> None:
    async def following() -> bytes | None:
        if watching.is_over:
            return None
        try:
            return await watching.next()
        except TooSlow:
            stream.end(Ending.SLOW)
            return None

    with watching.woken(stream.wake):
        await say_events(stream, first, following)


_STREAM: Final = Success(
    status=200,
    description="Events as they happen. The answer goes on.",
    type=AuctionEventView,
    media_type=MEDIA_TYPE,
    example=examples.EVENT,
)
_OVER: Final = Success(
    status=204, description="It is over, and the event of that id was its last: do not come back.", type=None
)
