"""Auctions as whatever happens to them has them: one transaction over one tenant's rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.contexts.auctions.application.asked import AuctionRequest
from app.contexts.auctions.domain.auction import Auction, Bid
from app.contexts.auctions.domain.events import Event
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.intent import Intent, Return
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope

Bidder = tuple[AuctionId, UserId]
"""Somebody who bids in an auction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch needs to see: auctions, each of which is locked; requests whose keys are claimed, one a key;
    intents; and the keys that answers may be stored under already.
    """

    auctions: Collection[AuctionId]
    requests: Sequence[AuctionRequest]
    intents: Collection[tuple[AuctionId, BidId]]
    bidders: Collection[Bidder]
    scopes: Mapping[BidId, KeyScope]


@dataclass(frozen=True, slots=True)
class Held:
    """What there is of it, as nobody else changes it until the work ends. `now` is the database's clock, read once the
    auctions were locked.
    """

    auctions: Mapping[AuctionId, Auction]
    intents: Mapping[BidId, Intent]
    ordinals: Mapping[Bidder, int]
    records: Mapping[KeyScope, KeyRecord[BidId]]
    """Of the keys that are not the requests' own from here on, and of those whose intents are gone."""
    now: datetime


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one."""

    auctions: dict[AuctionId, Auction] = field(default_factory=dict)
    ordinals: dict[Bidder, int] = field(default_factory=dict)
    bids: dict[AuctionId, list[Bid]] = field(default_factory=dict)
    new_intents: dict[BidId, Intent] = field(default_factory=dict)
    changed_intents: dict[BidId, Intent] = field(default_factory=dict)
    ended_intents: dict[BidId, Intent] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)
    returned: list[Return] = field(default_factory=list)
    """Holds that are released."""
    events: list[Event] = field(default_factory=list)
    answers: dict[KeyScope, Answer] = field(default_factory=dict)
    made: set[KeyScope] = field(default_factory=set)
    """Of the answers, those of requests that have made something which stands."""
    forgotten: dict[KeyScope, BidId] = field(default_factory=dict)
    """Keys that are free again, with what they were claimed for."""


class Work(Protocol):
    """One transaction. What it locks it locks in one order everywhere: keys, auctions, each by key. Whoever changes
    anything of an auction has it locked.
    """

    async def lock(self, wanted: Wanted) -> Held:
        """Claim the keys, and lock the auctions."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Books(Protocol):
    """All auctions."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Work]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...
