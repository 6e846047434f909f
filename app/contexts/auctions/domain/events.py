"""What watchers and the world are told of auctions."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.contexts.auctions.domain.auction import Auction, Placed
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids


class EventType(StrEnum):
    """An event's type, which is its routing key too. Watchers know it by its last word."""

    OPENED = "auction.opened"
    BID = "auction.bid"
    EXTENDED = "auction.extended"
    ENDED = "auction.ended"
    CANCELLED = "auction.cancelled"

    @property
    def word(self) -> str:
        """What watchers know it by."""
        return self.value.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about an auction, as it stood from then on: its `last_event_id` is the event's place among all of it."""

    id: EventId
    type: EventType
    auction: Auction
    occurred_at: datetime
    traceparent: str | None = None
    """Of the request that it comes of, if that had one."""


def told_of(placed: Placed, ids: Ids, traceparent: str | None) -> list[Event]:
    """The events of a bid: itself, and the later end, if it moved that."""
    auction, now = placed.auction, placed.bid.created_at
    if not placed.is_extended:
        return [Event(EventId(ids()), EventType.BID, auction, now, traceparent)]
    first = replace(auction, last_event_id=auction.last_event_id - 1)
    return [
        Event(EventId(ids()), EventType.BID, first, now, traceparent),
        Event(EventId(ids()), EventType.EXTENDED, auction, now, traceparent),
    ]
