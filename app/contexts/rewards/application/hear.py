"""What is heard of others: who has which address, what was paid and ordered, what was minted.

Each event's effect is had once, in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.contexts.rewards.application.books import AT_MOST, Books, Parked, ParkedRefund, Wanted, Work
from app.contexts.rewards.application.teller import Teller
from app.contexts.rewards.domain.account import Account
from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId
from app.contexts.rewards.domain.refusals import Contradiction, RefundTooLarge
from app.contexts.rewards.domain.sale import Sale
from app.contexts.rewards.domain.tokens import Token
from app.kernel.ids import EventId, UserId
from app.kernel.money import Money
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class Linked:
    """Somebody is a user, with that address or without one; `sequence` is the place among the news of them."""

    user_id: UserId
    sequence: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Sold:
    """Somebody has bought something."""

    sale: Sale

    @property
    def user_id(self) -> UserId:
        """Who."""
        return self.sale.user_id


@dataclass(frozen=True, slots=True)
class GaveBack:
    """Of a payment something was given back to whoever had paid."""

    user_id: UserId
    payment_id: UUID
    refund_id: RefundId
    money: Money


@dataclass(frozen=True, slots=True)
class Minted:
    """What was asked for is on the chain."""

    user_id: UserId
    entry_id: EntryId
    request_id: UUID
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Failed:
    """What was asked for will not be on the chain."""

    user_id: UserId
    entry_id: EntryId
    request_id: UUID
    reason: str


Fact = Linked | Sold | GaveBack | Minted | Failed


@dataclass(frozen=True, slots=True)
class Heard:
    """An event: what it tells, and for which tenant, where it says so."""

    event_id: EventId
    fact: Fact
    tenant_id: TenantId | None = None
    traceparent: str | None = None


class Hear:
    """Has the effects of events, in one transaction a tenant. Where one of these fails, what the others have committed
    is known when all come again.

    An event that does not say its tenant is of its user's. A sale to somebody of whom nobody knows whose they are waits
    until somebody does, and what was given back of a payment waits until that was heard of.
    """

    def __init__(self, books: Books, token: Token, ids: Ids) -> None:
        self._books = books
        self._token = token
        self._ids = ids

    async def __call__(self, events: Sequence[Heard]) -> None:
        """Have the effects.

        Raises:
            Contradiction: one of them cannot be.
        """
        by_tenant: dict[TenantId, list[Heard]] = {}
        for tenant_id, event in await self._placed(events):
            by_tenant.setdefault(tenant_id, []).append(event)
        for tenant_id, own in by_tenant.items():
            if links := [(event, event.fact) for event in own if isinstance(event.fact, Linked) and event.fact.address]:
                await self._ask_before(tenant_id, links)
            async with self._books.begin(tenant_id) as work:
                await self._hear(work, tenant_id, own)

    async def _ask_before(self, tenant_id: TenantId, links: Sequence[tuple[Heard, Linked]]) -> None:
        """Of those who have accrued more than goes at once: ask for it, a part at a time, before the address is theirs.
        If this ends in between the event comes again, and what is left is asked for then."""
        there_may_be_more = True
        while there_may_be_more:
            async with self._books.begin(tenant_id) as work:
                there_may_be_more = await self._ask_for_some(work, tenant_id, links)

    async def _ask_for_some(self, work: Work, tenant_id: TenantId, links: Sequence[tuple[Heard, Linked]]) -> bool:
        users = list(dict.fromkeys(fact.user_id for _, fact in links))
        held = await work.hold(Wanted(users=users, all_of=users))
        accrued = Counter(entry.user_id for entry in held.entries)
        teller = Teller(tenant_id, held, self._token, self._ids)
        for event, fact in links:
            account = teller.account(fact.user_id, event.traceparent)
            if account and fact.address and accrued[fact.user_id] >= AT_MOST and fact.sequence > account.standing.heard:
                account.ask_for(fact.address)
                await work.commit(teller.settled())
                return True
        return False

    async def know(self, tenant_id: TenantId, user_id: UserId) -> None:
        """Open an account for a user of the tenant, if there is none: what had waited for that is done, too."""
        async with self._books.begin(tenant_id) as work:
            _, parked = await work.hear((), [user_id])
            waited = [Heard(one.event_id, Sold(one.sale)) for one in parked]
            await self._tell(work, tenant_id, waited, [user_id])

    async def _placed(self, events: Sequence[Heard]) -> Sequence[tuple[TenantId, Heard]]:
        """The events with their tenants, without those that wait."""
        homeless = {event.fact.user_id for event in events if event.tenant_id is None}
        homes = dict(await self._books.locate(homeless)) if homeless else {}
        strange = [event for event in events if event.tenant_id is None and event.fact.user_id not in homes]
        sales = [Parked(event.event_id, event.fact.sale) for event in strange if isinstance(event.fact, Sold)]
        refunds = [_parked(event, event.fact) for event in strange if isinstance(event.fact, GaveBack)]
        if sales or refunds:
            homes |= await self._books.park(sales, refunds)
        placed = []
        for event in events:
            tenant_id = event.tenant_id or homes.get(event.fact.user_id)
            if tenant_id is not None:
                placed.append((tenant_id, event))
            elif not isinstance(event.fact, Sold | GaveBack):
                raise Contradiction("it is about somebody for whom nothing was asked")
        return placed

    async def _hear(self, work: Work, tenant_id: TenantId, events: Sequence[Heard]) -> None:
        users = dict.fromkeys(event.fact.user_id for event in events)
        known, parked = await work.hear([event.event_id for event in events], list(users))
        fresh = [event for event in events if event.event_id not in known]
        waited = [Heard(one.event_id, Sold(one.sale)) for one in parked]
        await self._tell(work, tenant_id, [*waited, *fresh], list(users))

    async def _tell(self, work: Work, tenant_id: TenantId, events: Sequence[Heard], users: Sequence[UserId]) -> None:
        facts = [event.fact for event in events]
        held = await work.hold(
            Wanted(
                users=users,
                sales=[fact.sale for fact in facts if isinstance(fact, Sold)],
                payments=[fact.payment_id for fact in facts if isinstance(fact, GaveBack)],
                entries=[fact.entry_id for fact in facts if isinstance(fact, Minted | Failed)],
                all_of=list(dict.fromkeys(_whose_all_may_change(facts))),
            )
        )
        teller = Teller(tenant_id, held, self._token, self._ids)
        waited = [Heard(one.event_id, _gave_back(one)) for one in held.parked_refunds]
        # What is given back of what is sold in the same batch comes behind that, as it does behind what waited.
        for event in sorted([*events, *waited], key=lambda event: isinstance(event.fact, GaveBack)):
            self._have(event, teller)
        await work.commit(teller.settled())

    def _have(self, event: Heard, teller: Teller) -> None:
        account = teller.account(event.fact.user_id, event.traceparent)
        assert account is not None, "whoever is heard of has an account"
        match event.fact:
            case Linked(sequence=sequence, address=address):
                account.link(address, sequence)
            case Sold(sale=sale):
                if teller.purchase(sale.key) is None:
                    teller.buy(sale, PurchaseId(self._ids()), account)
            case GaveBack() as gave_back:
                _take_back(event, gave_back, teller, account)
            case Minted(entry_id=entry_id, request_id=request_id, tx_hash=tx_hash):
                account.minted(entry_id, request_id, tx_hash)
            case Failed(entry_id=entry_id, request_id=request_id, reason=reason):
                account.failed(entry_id, request_id, reason)


def _take_back(event: Heard, gave_back: GaveBack, teller: Teller, account: Account) -> None:
    """Take back what was earned with what was given back; it waits where its payment was not heard of yet.

    Raises:
        Contradiction: with what was given back before it is more than was paid, or it is somebody else's.
    """
    purchase = teller.purchase_of(gave_back.payment_id)
    if purchase is None:
        teller.changes.parked_refunds.append(_parked(event, gave_back))
        return
    sale = purchase.sale
    if (sale.user_id, sale.money.currency) != (gave_back.user_id, gave_back.money.currency):
        raise Contradiction("what was given back was paid by somebody else, or in another currency")
    try:
        teller.give_back(purchase, gave_back.refund_id, gave_back.money.amount_minor, account)
    except RefundTooLarge:
        raise Contradiction("more was given back than was paid") from None


def _parked(event: Heard, gave_back: GaveBack) -> ParkedRefund:
    return ParkedRefund(event.event_id, gave_back.user_id, gave_back.payment_id, gave_back.refund_id, gave_back.money)


def _gave_back(parked: ParkedRefund) -> GaveBack:
    return GaveBack(parked.user_id, parked.payment_id, parked.refund_id, parked.money)


def _whose_all_may_change(facts: Iterable[Fact]) -> Iterable[UserId]:
    """Whoever links has all asked for that is accrued."""
    return (fact.user_id for fact in facts if isinstance(fact, Linked))
