"""Cashback, and its rules, as they are shown."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from app.contexts.rewards.application.ports import LedgerLine
from app.contexts.rewards.application.read_cashback import Balance
from app.contexts.rewards.domain.rule import Rule
from app.contexts.rewards.domain.sale import Cashback, Purchase, Refund
from app.platform.http.shapes import Amount, Code, Time, timestamp

BaseUnits = Annotated[
    str, Meta(description="Whole base units of the token, at most 2^256-1.", pattern="^(0|[1-9][0-9]*)$")
]


class CashbackView(Struct, frozen=True):
    """What was earned. `status` is where it stood when the purchase was recorded."""

    entry_id: UUID
    amount: BaseUnits
    rule_id: UUID
    status: Literal["EARNED", "OFFSET", "MINTING"]


class PurchaseView(Struct, frozen=True):
    """A purchase, and what it has earned; null where no rule gives anything."""

    purchase_id: UUID
    user_id: UUID
    merchant: str
    category: str | None
    external_reference: str
    amount: Amount
    currency: Code
    cashback: CashbackView | None
    created_at: Time


class RefundView(Struct, frozen=True):
    """What of a purchase was given back, and what of its cashback was taken back for that."""

    refund_id: UUID
    purchase_id: UUID
    user_id: UUID
    reference: str
    amount: Amount
    currency: Code
    reversed: BaseUnits
    created_at: Time


class LineView(Struct, frozen=True):
    """A line of the ledger, and what its entry was earned by. `owed` is what of a REVERSED one became a debt."""

    line_id: UUID
    entry_id: UUID
    kind: Literal["EARNED", "REVERSED", "OFFSET", "MINTING", "MINTED", "MINT_FAILED"]
    amount: BaseUnits
    owed: BaseUnits
    source: Literal["purchase", "payment", "order"]
    merchant: str
    reference: str
    rule_id: UUID
    request_id: UUID | None
    tx_hash: str | None
    created_at: Time


class LinesView(Struct, frozen=True):
    """A page of the ledger, newest first. `next_cursor` asks for the next page."""

    lines: list[LineView]
    next_cursor: str | None


class BalanceView(Struct, frozen=True):
    """Where one stands. `on_chain` is what the chain says of one's address; null without one, or while it is away."""

    accrued: BaseUnits
    minting: BaseUnits
    minted: BaseUnits
    debt: BaseUnits
    on_chain: BaseUnits | None


class RuleView(Struct, frozen=True):
    """What of a purchase comes back. Null is any, or without end."""

    rule_id: UUID
    basis_points: Annotated[int, Meta(ge=1, le=10_000)]
    currency: Code
    category: str | None
    merchant: str | None
    from_: Time | None = field(name="from")
    until: Time | None
    cap_per_user_month: BaseUnits | None
    min_amount: Amount | None
    is_active: bool
    created_at: Time


class RulesView(Struct, frozen=True):
    """All rules of the tenant, the oldest first."""

    rules: list[RuleView]


def purchase_view(purchase: Purchase) -> PurchaseView:
    """The purchase as it was first shown."""
    sale = purchase.sale
    return PurchaseView(
        purchase_id=purchase.id,
        user_id=sale.user_id,
        merchant=sale.merchant,
        category=sale.category,
        external_reference=sale.reference,
        amount=sale.money.amount_minor,
        currency=sale.money.currency,
        cashback=None if purchase.cashback is None else _cashback_view(purchase.cashback),
        created_at=timestamp(purchase.created_at),
    )


def refund_view(refund: Refund, purchase: Purchase) -> RefundView:
    """The refund."""
    return RefundView(
        refund_id=refund.id,
        purchase_id=refund.purchase_id,
        user_id=refund.user_id,
        reference=refund.reference,
        amount=refund.amount_minor,
        currency=purchase.sale.money.currency,
        reversed=str(refund.reversed),
        created_at=timestamp(refund.created_at),
    )


def line_view(told: LedgerLine) -> LineView:
    """The line."""
    line = told.line
    return LineView(
        line_id=line.id,
        entry_id=line.entry_id,
        kind=line.kind.value,
        amount=str(line.amount),
        owed=str(line.owed),
        source=told.source.value,
        merchant=told.merchant,
        reference=told.reference,
        rule_id=told.rule_id,
        request_id=line.request_id,
        tx_hash=line.tx_hash,
        created_at=timestamp(line.at),
    )


def balance_view(balance: Balance) -> BalanceView:
    """Where one stands."""
    standing, on_chain = balance
    return BalanceView(
        str(standing.accrued),
        str(standing.minting),
        str(standing.minted),
        str(standing.debt),
        on_chain=None if on_chain is None else str(on_chain),
    )


def rule_view(rule: Rule) -> RuleView:
    """The rule as it is now."""
    return RuleView(
        rule_id=rule.id,
        basis_points=rule.basis_points,
        currency=rule.currency,
        category=rule.category,
        merchant=rule.merchant,
        from_=_time(rule.starts_at),
        until=_time(rule.ends_at),
        cap_per_user_month=None if rule.cap is None else str(rule.cap),
        min_amount=rule.min_amount,
        is_active=rule.is_active,
        created_at=timestamp(rule.created_at),
    )


def _cashback_view(cashback: Cashback) -> CashbackView:
    return CashbackView(
        cashback.entry_id,
        str(cashback.amount),
        cashback.rule_id,
        cashback.status,  # type: ignore[arg-type] # where an entry stands that was just earned
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
