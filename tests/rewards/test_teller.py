"""What a rule has given in another month counts for nothing in this one, whenever that was read."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.contexts.rewards.application.books import Held
from app.contexts.rewards.application.teller import Teller
from app.contexts.rewards.domain.account import Standing
from app.contexts.rewards.domain.ids import PurchaseId, RuleId
from app.contexts.rewards.domain.rule import Rule
from app.contexts.rewards.domain.sale import Sale, Source
from app.contexts.rewards.domain.tokens import Rate, Token
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.process.uuid7 import uuid7

TENANT, USER, RULE = TenantId(UUID(int=1)), UserId(UUID(int=2)), RuleId(UUID(int=3))
USD = Currency("USD")
MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(("month", "given"), [((2026, 11), 100_000), ((2026, 12), 50_000)])
def test_the_month_is_that_of_the_clock_behind_the_locks(month: tuple[int, int], given: int) -> None:
    """What was read before midnight is of the month before, if the locks are had behind it."""
    rule = Rule(
        id=RULE, tenant_id=TENANT, basis_points=100, currency=USD, cap=150_000, created_at=MIDNIGHT.replace(year=2025)
    )
    held = Held(
        standings={USER: Standing(TENANT, USER)}, entries=(), rules=(rule,), used={(USER, RULE, month): 100_000},
        purchases={}, now=MIDNIGHT,
    )  # fmt: skip
    teller = Teller(TENANT, held, Token(6, {USD: Rate(1)}), uuid7)
    account = teller.account(USER)
    assert account is not None
    sale = Sale(
        user_id=USER, source=Source.PURCHASE, merchant="m", reference="r", money=Money(1_000, USD), at=MIDNIGHT
    )  # fmt: skip
    purchase = teller.buy(sale, PurchaseId(uuid7()), account)
    assert purchase.cashback is not None
    assert purchase.cashback.amount == given
