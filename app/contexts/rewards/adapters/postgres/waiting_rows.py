"""Events that were heard, whose users are, and what waits for that. It belongs to no tenant."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from app.contexts.rewards.application.books import Parked
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


def park(sales: Sequence[Parked]) -> Call:
    """The statement that lets sales wait for their users."""
    return PARK, columns([
        (
            sale.user_id, event_id, sale.source.value, sale.merchant, sale.reference, sale.money.amount_minor,
            sale.money.currency, sale.at,
        )
        for event_id, sale in ((each.event_id, each.sale) for each in sales)
    ])  # fmt: skip


def take(users: Collection[UserId]) -> Call:
    """The statement that takes what waits for the users; `parked_of` reads its rows."""
    return TAKE, (list(users),)


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
