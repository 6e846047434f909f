"""What was bought: by a purchase that a shop tells of, by a payment, by an order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.contexts.rewards.domain.ids import EntryId, PurchaseId, RefundId, RuleId
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId


class Source(StrEnum):
    """Who tells of it."""

    PURCHASE = "purchase"
    PAYMENT = "payment"
    ORDER = "order"


class Reference(NamedTuple):
    """What a purchase is unique within its tenant by: a merchant's reference."""

    merchant: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What somebody has bought from whom, and when."""

    user_id: UserId
    source: Source
    merchant: str
    reference: str
    money: Money
    at: datetime
    category: str | None = None

    @property
    def key(self) -> Reference:
        """What it is unique by."""
        return Reference(self.merchant, self.reference)


class Cashback(NamedTuple):
    """What a purchase has earned, as it was told first: `status` is where it stood then."""

    entry_id: EntryId
    amount: int
    rule_id: RuleId
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A sale that was recorded, and what came of it."""

    id: PurchaseId
    tenant_id: TenantId
    sale: Sale
    cashback: Cashback | None
    created_at: datetime

    def is_of(self, sale: Sale) -> bool:
        """Whether the sale, which has the same reference, is this one."""
        known = self.sale
        return (known.user_id, known.money, known.category) == (sale.user_id, sale.money, sale.category)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What of a purchase was given back, in minor units, and what of its cashback was taken back, in base units."""

    id: RefundId
    purchase_id: PurchaseId
    user_id: UserId
    reference: str
    amount_minor: int
    reversed: int
    created_at: datetime
