"""Rows of purchases, and of what of them was given back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from app.contexts.rewards.adapters.postgres import entry_rows
from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.sale import Cashback, Purchase, Reference, Refund, Sale, Source
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.postgres.buckets import BUCKETS, bucket_of
from app.platform.postgres.pipeline import Call, Row, Statement, columns

PURCHASE_COLUMNS: Final = """
    p.tenant_id, p.id, p.user_id, p.source, p.merchant, p.reference, p.category, p.amount, p.currency, p.at, p.entry_id,
    p.cashback, p.rule_id, p.status, p.created_at
"""

BY_REFERENCE: Final = Statement(f"""
    SELECT {PURCHASE_COLUMNS}
    FROM unnest(%b::smallint[], %b::text[], %b::text[]) AS k (bucket, merchant, reference)
    JOIN rewards.purchases p ON p.bucket = k.bucket AND p.tenant_id = %b::uuid AND p.merchant = k.merchant
        AND p.reference = k.reference
""")
BY_ID: Final = Statement(f"""
    SELECT {PURCHASE_COLUMNS} FROM rewards.purchases p WHERE p.tenant_id = %b::uuid AND p.id = ANY(%b::uuid[])
""")
OF_PAYMENTS: Final = Statement(f"""
    SELECT {PURCHASE_COLUMNS} FROM rewards.purchases p
    WHERE p.tenant_id = %b::uuid AND p.reference = ANY(%b::text[]) AND p.source = 'payment'
""")
# Sorted, so that two batches never wait for each other's references crosswise.
INSERT: Final = Statement("""
    INSERT INTO rewards.purchases (bucket, tenant_id, id, user_id, source, merchant, reference, category, amount,
        currency, at, entry_id, cashback, rule_id, status, created_at)
    SELECT r.bucket, r.tenant_id, r.id, r.user_id, r.source, r.merchant, r.reference, r.category, r.amount, r.currency,
        r.at, r.entry_id, r.cashback::numeric, r.rule_id, r.status, r.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[], %b::text[],
                %b::bigint[], %b::text[], %b::timestamptz[], %b::uuid[], %b::text[], %b::uuid[], %b::text[],
                %b::timestamptz[])
        AS r (bucket, tenant_id, id, user_id, source, merchant, reference, category, amount, currency, at, entry_id,
              cashback, rule_id, status, created_at)
    ORDER BY r.bucket, r.merchant COLLATE "C", r.reference COLLATE "C"
""")
REFUNDS: Final = Statement("""
    SELECT f.id, f.purchase_id, f.user_id, f.reference, f.amount, f.reversed, f.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS k (bucket, user_id, purchase_id)
    JOIN rewards.refunds f ON f.bucket = k.bucket AND f.user_id = k.user_id AND f.purchase_id = k.purchase_id
        AND f.tenant_id = %b::uuid
    ORDER BY f.created_at, f.id
""")
INSERT_REFUNDS: Final = Statement("""
    INSERT INTO rewards.refunds (bucket, tenant_id, user_id, purchase_id, reference, id, amount, reversed, created_at)
    SELECT r.bucket, r.tenant_id, r.user_id, r.purchase_id, r.reference, r.id, r.amount, r.reversed::numeric,
        r.created_at
    FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::bigint[], %b::text[],
                %b::timestamptz[])
        AS r (bucket, tenant_id, user_id, purchase_id, reference, id, amount, reversed, created_at)
""")


def by_reference(tenant_id: TenantId, references: Collection[Reference]) -> Call:
    """The statement that reads purchases by what they are unique by; `purchase_of` reads its rows."""
    return BY_REFERENCE, (
        [_bucket_of(each) for each in references],
        [each.merchant for each in references],
        [each.text for each in references],
        tenant_id,
    )


def by_id(tenant_id: TenantId, purchases: Collection[PurchaseId]) -> Call:
    """The statement that reads purchases; `purchase_of` reads its rows."""
    return BY_ID, (tenant_id, list(purchases))


def of_payments(tenant_id: TenantId, payments: Collection[UUID]) -> Call:
    """The statement that reads what was bought by payments; `purchase_of` reads its rows."""
    return OF_PAYMENTS, (tenant_id, [*map(str, payments)])


def insert(purchases: Sequence[Purchase]) -> Call:
    """The statement that writes new purchases. It fails with another's that was faster with the same reference."""
    rows = []
    for each in purchases:
        sale, cashback = each.sale, each.cashback
        earned = (None, None, None, None)
        if cashback is not None:
            earned = (cashback.entry_id, str(cashback.amount), cashback.rule_id, cashback.status)  # type: ignore[assignment]
        rows.append((
            _bucket_of(sale.key), each.tenant_id, each.id, sale.user_id, sale.source.value, sale.merchant,
            sale.reference, sale.category, sale.money.amount_minor, sale.money.currency, sale.at, *earned,
            each.created_at,
        ))  # fmt: skip
    return INSERT, columns(rows)


def refunds_of(tenant_id: TenantId, purchases: Collection[Purchase]) -> Call:
    """The statement that reads what of the purchases was given back, in that order; `refund_of` reads its rows."""
    return REFUNDS, (
        [bucket_of(each.sale.user_id) for each in purchases],
        [each.sale.user_id for each in purchases],
        [each.id for each in purchases],
        tenant_id,
    )


def insert_refunds(tenant_id: TenantId, refunds: Sequence[Refund]) -> Call:
    """The statement that writes what was given back."""
    return INSERT_REFUNDS, columns([
        (
            bucket_of(f.user_id), tenant_id, f.user_id, f.purchase_id, f.reference, f.id, f.amount_minor,
            str(f.reversed), f.created_at,
        )
        for f in refunds
    ])  # fmt: skip


def purchase_of(row: Row) -> Purchase:
    """The purchase in a row."""
    (
        tenant_id, id_, user_id, source, merchant, reference, category, amount, currency, at, entry_id, cashback,
        rule_id, status, created_at,
    ) = row  # fmt: skip
    sale = Sale(
        user_id=UserId(user_id),
        source=Source(source),
        merchant=merchant,
        reference=reference,
        money=Money(amount, Currency(currency)),
        at=at,
        category=category,
    )
    earned = None if entry_id is None else Cashback(EntryId(entry_id), int(cashback), RuleId(rule_id), status)
    return Purchase(
        id=PurchaseId(id_), tenant_id=TenantId(tenant_id), sale=sale, cashback=earned, created_at=created_at
    )


def refund_of(row: Row) -> Refund:
    """The refund in a row."""
    id_, purchase_id, user_id, reference, amount, reversed_, created_at = row
    return Refund(
        id=RefundId(id_),
        purchase_id=PurchaseId(purchase_id),
        user_id=UserId(user_id),
        reference=reference,
        amount_minor=amount,
        reversed=int(reversed_),
        created_at=created_at,
    )


def earned_by(tenant_id: TenantId, purchases: Sequence[Purchase]) -> Sequence[Call]:
    """The statements that read what changes when something of these is given back, whose users are locked: what they
    have earned, what else pays for it, and what of them was given back before."""
    debts: dict[UserId, int] = {}
    for each in purchases:
        debts[each.sale.user_id] = debts.get(each.sale.user_id, 0) + (each.cashback.amount if each.cashback else 0)
    return (
        entry_rows.read(tenant_id, list(debts), [each.cashback.entry_id for each in purchases if each.cashback]),
        entry_rows.read_covering(tenant_id, debts),
        refunds_of(tenant_id, purchases),
    )


def by_purchase(purchases: Iterable[PurchaseId], rows: Sequence[Row]) -> Mapping[PurchaseId, Sequence[Refund]]:
    """What of each of the purchases was given back."""
    before: dict[PurchaseId, list[Refund]] = {purchase_id: [] for purchase_id in purchases}
    for refund in map(refund_of, rows):
        before[refund.purchase_id].append(refund)
    return before


def _bucket_of(reference: Reference) -> int:
    return sha256(f"{reference.merchant}\n{reference.text}".encode()).digest()[-1] % BUCKETS
