"""Rules: what of a purchase comes back, and which of several says it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.sale import Sale
from app.contexts.rewards.domain.tokens import MOST, Token
from app.kernel.money import Currency
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Basis points of what is bought in a currency; of some category, from some merchant, in some time, from some
    amount in minor units on, where that is said. `cap` is what it gives a user in a month (UTC), in base units."""

    id: RuleId
    tenant_id: TenantId
    basis_points: int
    currency: Currency
    category: str | None = None
    merchant: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    cap: int | None = None
    min_amount: int | None = None
    is_active: bool = True
    created_at: datetime

    def fits(self, sale: Sale) -> bool:
        """Whether it is about what was bought, when it was. What begins holds from that very moment on; what ends does
        not any more."""
        return (
            self.is_active
            and self.currency == sale.money.currency
            and self.category in (None, sale.category)
            and self.merchant in (None, sale.merchant)
            and (self.min_amount is None or self.min_amount <= sale.money.amount_minor)
            and (self.starts_at is None or self.starts_at <= sale.at)
            and (self.ends_at is None or sale.at < self.ends_at)
        )


class Gift(NamedTuple):
    """What a rule gives, in base units."""

    rule_id: RuleId
    amount: int


def best_of(rules: Iterable[Rule], sale: Sale, token: Token, used: Mapping[RuleId, int], room: int) -> Gift | None:
    """What the rule gives that gives most; of those that give the same, the oldest. None where none gives anything.

    `used` is what rules have given the user in this month: of a cap what is left is given. Nobody is given more than
    there is `room` for.
    """
    gifts = [
        (Gift(rule.id, min(token.share_of(sale.money, rule.basis_points), _left(rule, used), room)), rule)
        for rule in rules
        if rule.fits(sale)
    ]
    if not gifts:
        return None
    gift, _ = min(gifts, key=lambda pair: (-pair[0].amount, pair[1].created_at, pair[1].id))
    return gift if gift.amount > 0 else None


def month_of(at: datetime) -> tuple[int, int]:
    """The month that caps count it in."""
    utc = at.astimezone(UTC)
    return utc.year, utc.month


def _left(rule: Rule, used: Mapping[RuleId, int]) -> int:
    return MOST if rule.cap is None else max(rule.cap - used.get(rule.id, 0), 0)
