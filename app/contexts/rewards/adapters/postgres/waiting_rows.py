"""Events that were heard, whose users are, and what waits for that. It belongs to no tenant."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final
from uuid import UUID

from app.contexts.rewards.application.books import Parked, ParkedRefund
from app.contexts.rewards.domain.ids import RefundId
from app.contexts.rewards.domain.sale import Sale, Source
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# In the order of the ids, so that two who hear the same never wait for each other.
ENTER: Final = Statement("""
    INSERT INTO rewards.processed_events (event_id) SELECT id FROM unnest(%b::uuid[]) AS e (id) ORDER BY id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
""")
LOCATE: Final = Statement("""
    SELECT w.user_id, w.tenant FROM rewards.whereabouts w WHERE w.user_id = ANY(%b::uuid[]) AND w.tenant IS NOT NULL
""")
# Whoever is not known yet becomes so behind those who share this: what begins to wait meanwhile is found then.
LOCATE_FIRMLY: Final = Statement("""
    SELECT w.user_id, w.tenant FROM rewards.whereabouts w WHERE w.user_id = ANY(%b::uuid[]) ORDER BY w.user_id FOR SHARE
""")
# Whoever comes to be known and whatever begins to wait for that meet at this row: one of them waits for the other.
EXPECT: Final = Statement("""
    INSERT INTO rewards.whereabouts (user_id) SELECT id FROM unnest(%b::uuid[]) AS u (id) ORDER BY id
    ON CONFLICT (user_id) DO NOTHING
""")
SETTLE: Final = Statement("""
    INSERT INTO rewards.whereabouts AS w (user_id, tenant) SELECT id, %b::uuid FROM unnest(%b::uuid[]) AS u (id)
    ORDER BY id
    ON CONFLICT (user_id) DO UPDATE SET tenant = excluded.tenant WHERE w.tenant IS NULL
""")
PARK: Final = Statement("""
    INSERT INTO rewards.parked_events (user_id, event_id, source, merchant, reference, amount, currency, at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
                         %b::timestamptz[])
""")
TAKE: Final = Statement("""
    DELETE FROM rewards.parked_events p WHERE p.user_id = ANY(%b::uuid[])
    RETURNING p.user_id, p.event_id, p.source, p.merchant, p.reference, p.amount, p.currency, p.at
""")

PARK_REFUNDS: Final = Statement("""
    INSERT INTO rewards.parked_refunds (user_id, payment_id, event_id, refund_id, amount, currency)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::bigint[], %b::text[])
""")
TAKE_REFUNDS: Final = Statement("""
    DELETE FROM rewards.parked_refunds p
    USING unnest(%b::uuid[], %b::uuid[]) AS r (user_id, payment_id)
    WHERE p.user_id = r.user_id AND p.payment_id = r.payment_id
    RETURNING p.event_id, p.user_id, p.payment_id, p.refund_id, p.amount, p.currency
""")


def enter(events: Collection[UUID]) -> Call:
    """The statement that enters the events' ids, and tells which are new."""
    return ENTER, (list(events),)


def locate(users: Collection[UserId]) -> Call:
    """The statement that tells whose users are; `tenant_of` reads its rows."""
    return LOCATE, (list(users),)


def expect(users: Collection[UserId]) -> Call:
    """The statement behind which it is decided whether the users are known."""
    return EXPECT, (list(users),)


def settle(tenant_id: TenantId, users: Collection[UserId]) -> Call:
    """The statement that says whose users are of whom nobody knew."""
    return SETTLE, (tenant_id, list(users))


def let_wait(sales: Sequence[Parked], refunds: Sequence[ParkedRefund]) -> Iterator[Call]:
    """The statements that let sales wait for their users, and refunds for their payments."""
    if sales:
        yield PARK, columns([
            (
                sale.user_id, event_id, sale.source.value, sale.merchant, sale.reference, sale.money.amount_minor,
                sale.money.currency, sale.at,
            )
            for event_id, sale in ((each.event_id, each.sale) for each in sales)
        ])  # fmt: skip
    if refunds:
        yield PARK_REFUNDS, columns([
            (r.user_id, r.payment_id, r.event_id, r.refund_id, r.money.amount_minor, r.money.currency)
            for r in refunds
        ])  # fmt: skip


def take(users: Collection[UserId]) -> Call:
    """The statement that takes what waits for the users; `parked_of` reads its rows."""
    return TAKE, (list(users),)


def locate_firmly(users: Collection[UserId]) -> Call:
    """The same, of users who are expected, and behind it nobody of them comes to be known before the transaction ends.
    Of those who are not the tenant is None."""
    return LOCATE_FIRMLY, (list(users),)


def take_refunds(payments: Sequence[tuple[UserId, UUID]]) -> Call:
    """The statement that takes what waits for users' payments; `parked_refund_of` reads its rows."""
    return TAKE_REFUNDS, ([user_id for user_id, _ in payments], [payment_id for _, payment_id in payments])


def parked_refund_of(row: Row) -> ParkedRefund:
    """What of a payment was given back, and has waited for that."""
    event_id, user_id, payment_id, refund_id, amount, currency = row
    money = Money(amount, Currency(currency))
    return ParkedRefund(EventId(event_id), UserId(user_id), payment_id, RefundId(refund_id), money)


def tenant_of(row: Row) -> tuple[UserId, TenantId]:
    """Whose a user is."""
    user_id, tenant = row
    return UserId(user_id), TenantId(tenant)


def parked_of(row: Row) -> Parked:
    """What has waited."""
    user_id, event_id, source, merchant, reference, amount, currency, at = row
    money = Money(amount, Currency(currency))
    sale = Sale(
        user_id=UserId(user_id), source=Source(source), merchant=merchant, reference=reference, money=money, at=at
    )
    return Parked(EventId(event_id), sale)
