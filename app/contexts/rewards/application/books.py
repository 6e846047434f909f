"""The books of cashback, as what is bought, given back and heard changes them: a transaction over one tenant's rows."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from app.contexts.rewards.application.asked import BuyRequest, RefundRequest
from app.contexts.rewards.domain.account import Account, Standing
from app.contexts.rewards.domain.entry import Entry
from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.rule import Rule
from app.contexts.rewards.domain.sale import Purchase, Reference, Refund, Sale
from app.kernel.ids import EventId, UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope

AT_MOST: Final = 500
"""Entries of somebody's that are worked on at once: what waited for an address may be many times as many."""

Used = tuple[UserId, RuleId, tuple[int, int]]
"""Whom a rule has given something, and in which month."""


@dataclass(frozen=True, slots=True)
class Held:
    """Accounts as they stand, locked until the work ends, with what decides about them. `now` is the database's clock.

    Of the entries there are those that may change.
    """

    standings: Mapping[UserId, Standing]
    entries: Sequence[Entry]
    rules: Sequence[Rule]
    used: Mapping[Used, int]
    purchases: Mapping[Reference, Purchase]
    now: datetime
    refunds: Mapping[PurchaseId, Sequence[Refund]] = field(default_factory=dict)
    """What of them was given back, where that was asked for."""
    parked_refunds: Sequence["ParkedRefund"] = ()
    """What had waited for one of the sales."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The state that requests meet: keys without a record are their own, if what they are about is there."""

    records: Mapping[KeyScope, KeyRecord[UUID]]
    held: Held
    refunds: Mapping[PurchaseId, Sequence[Refund]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done with accounts: by events that have not had their effect yet, if they have an id here."""

    users: Collection[UserId]
    sales: Sequence[Sale] = ()
    payments: Collection[UUID] = ()
    """Those of which something was given back: their purchases are held, with what they have earned."""
    entries: Collection[EntryId] = ()
    all_of: Collection[UserId] = ()
    """Those of whom whatever is accrued may change, the oldest `AT_MOST` of it."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A sale to somebody of whom nobody knew yet whose they are, and its event."""

    event_id: EventId
    sale: Sale


@dataclass(frozen=True, slots=True)
class ParkedRefund:
    """Something that was given back of a payment that nobody has heard of yet, and its event."""

    event_id: EventId
    user_id: UserId
    payment_id: UUID
    refund_id: RefundId
    money: Money


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one."""

    accounts: list[Account] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    parked_refunds: list[ParkedRefund] = field(default_factory=list)
    answers: dict[KeyScope, Answer] = field(default_factory=dict)
    made: set[KeyScope] = field(default_factory=set)
    """Of the answers, those of requests that have made something which stands."""


class Work(Protocol):
    """One transaction. What it locks it locks in one order everywhere: keys, users, each by key."""

    async def claim_purchases(self, requests: Sequence[BuyRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), where their user is known, and lock the users."""
        ...

    async def claim_refunds(self, requests: Sequence[RefundRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), where their purchase is there, and lock its user."""
        ...

    async def hear(self, events: Collection[EventId], users: Collection[UserId]) -> tuple[set[EventId], list[Parked]]:
        """Enter the events' ids, and open accounts for those users who have none. The events that are known already,
        and what had waited for those users."""
        ...

    async def hold(self, wanted: Wanted) -> Held:
        """Lock the users, and take what had waited for their sales."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class Books(Protocol):
    """What there is of cashback."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Work]:
        """Begin a work. Leaving it without a commit undoes it."""
        ...

    async def locate(self, users: Collection[UserId]) -> Mapping[UserId, TenantId]:
        """Whose these users are, as far as that is known."""
        ...

    async def park(self, sales: Sequence[Parked], refunds: Sequence[ParkedRefund]) -> Mapping[UserId, TenantId]:
        """Let sales wait for their users, and refunds for their payments, once an event, and say whose those are who
        became known meanwhile: theirs do not wait."""
        ...
