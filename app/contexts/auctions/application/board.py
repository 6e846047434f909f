"""What a batch of steps has before it: auctions that are locked, and all that becomes of them in one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.contexts.auctions.application.asked import Answers, AuctionRequest
from app.contexts.auctions.application.books import Books, Changes, Held, Wanted
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.auctions.domain.intent import Intent
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.kernel.refusals import Refusal
from app.platform.by_tenant import by_tenant
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope


class Step(Protocol):
    """Something to be done with an auction."""

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        ...

    @property
    def auction_id(self) -> AuctionId:
        """With which."""
        ...

    @property
    def request(self) -> AuctionRequest | None:
        """The request whose key it claims, if it does."""
        ...

    @property
    def intent(self) -> Intent | None:
        """The intent that it is about, as it was known, if it is about one."""
        ...

    def take(self, board: "Board") -> Any:
        """Do it. A refusal that is raised is what comes of it, for this step alone; nothing is changed before that."""
        ...


@dataclass(frozen=True, slots=True)
class OfAnIntent:
    """A step about an intent, as it was known."""

    intent: Intent

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.intent.tenant_id

    @property
    def auction_id(self) -> AuctionId:
        """For which auction."""
        return self.intent.auction_id

    @property
    def request(self) -> None:
        """It claims no key: the intent has one."""
        return


@dataclass(frozen=True, slots=True)
class Board:
    """Auctions, intents, ordinals and keys: as they stand, each step's changes included."""

    held: Held
    changes: Changes
    answers: Answers
    ids: Ids
    begun: dict[KeyScope, KeyRecord[BidId]] = field(default_factory=dict)
    """Of the requests of this batch that were looked at: what is known under their keys."""

    @property
    def now(self) -> datetime:
        """The database's clock, read once the auctions were locked."""
        return self.held.now

    def auction(self, id: AuctionId) -> Auction | None:
        """The auction, if the tenant has it."""
        return self.changes.auctions.get(id) or self.held.auctions.get(id)

    def put(self, auction: Auction) -> None:
        """From here on the auction stands so."""
        self.changes.auctions[auction.id] = auction

    def intent(self, id: BidId) -> Intent | None:
        """The intent, if it is there."""
        if id in self.changes.ended_intents:
            return None
        changes = self.changes
        return changes.changed_intents.get(id) or changes.new_intents.get(id) or self.held.intents.get(id)

    def change(self, intent: Intent) -> None:
        """From here on the intent, which is there, is so."""
        self.changes.changed_intents[intent.id] = intent

    def end(self, intent: Intent) -> None:
        """The intent is consumed."""
        self.changes.ended_intents[intent.id] = intent

    def ordinal(self, auction_id: AuctionId, bidder: UserId) -> int | None:
        """Who the bidder is to others, if they have bid before."""
        bidder_there = auction_id, bidder
        return self.changes.ordinals.get(bidder_there) or self.held.ordinals.get(bidder_there)

    def record(self, scope: KeyScope) -> KeyRecord[BidId] | None:
        """What is known under the key, unless it was free."""
        return self.begun.get(scope) or self.held.records.get(scope)

    def answer(self, intent: Intent, answer: Answer, *, has_made: bool = False) -> None:
        """The intent's key has this answer."""
        self.changes.answers[intent.scope] = answer
        if has_made:
            self.changes.made.add(intent.scope)


class TakeSteps:
    """Takes a batch of steps, in one transaction a tenant, one after the other: an auction's row is locked once.

    Running a batch again with the same steps is safe, whatever became of it the first time.
    """

    def __init__(self, books: Books, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, steps: Sequence[Step]) -> Sequence[Any]:
        return await by_tenant(steps, self._take)

    async def _take(self, tenant_id: TenantId, steps: Sequence[Step]) -> Sequence[Any]:
        async with self._books.begin(tenant_id) as work:
            board = Board(await work.lock(_wanted(steps)), Changes(), self._answers, self._ids)
            results = [_taken(step, board) for step in steps]
            await work.commit(board.changes)
        return results


def _taken(step: Step, board: Board) -> Any:
    try:
        return step.take(board)
    except Refusal as refusal:
        return refusal


def _wanted(steps: Sequence[Step]) -> Wanted:
    firsts: dict[KeyScope, AuctionRequest] = {}
    for request in (step.request for step in steps):
        if request is not None:
            firsts.setdefault(request.scope, request)
    intents = [step.intent for step in steps if step.intent is not None]
    requested = [request for request in (step.request for step in steps) if request is not None]
    return Wanted(
        auctions=list(dict.fromkeys(step.auction_id for step in steps)),
        requests=list(firsts.values()),
        intents=_distinct([(i.auction_id, i.id) for i in intents] + [(r.auction_id, r.bid_id) for r in requested]),
        bidders=_distinct([(i.auction_id, i.bidder) for i in intents]),
        scopes={intent.id: intent.scope for intent in intents},
    )


def _distinct(pairs: Sequence[Any]) -> Collection[Any]:
    return list(dict.fromkeys(pairs))
