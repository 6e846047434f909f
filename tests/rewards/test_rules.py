"""What rules give: in whole numbers, by the one that gives most."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contexts.rewards.domain.ids import RuleId
from app.contexts.rewards.domain.rule import Gift, Rule, best_of, month_of
from app.contexts.rewards.domain.sale import Sale, Source
from app.contexts.rewards.domain.tokens import MOST, Rate, Token
from app.contexts.rewards.settings import RewardsSettings
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR, Currency, Money
from app.kernel.principal import TenantId
from app.platform.process.settings import InvalidSettings
from tests.rewards.books import base_units

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
USD = Currency("USD")
TOKEN = Token(6, {USD: Rate(1)})
DIGITS = {"USD": 2, "JPY": 0, "KWD": 3, "CLF": 4, "USDC": 2}


def rule(number: int = 1, **said: Any) -> Rule:
    made = Rule(
        id=RuleId(UUID(int=number)), tenant_id=TenantId(UUID(int=1)), basis_points=100, currency=USD, created_at=NOON
    )
    return replace(made, **said)


def sale(amount: int = 1_000, currency: str = "USD", **said: Any) -> Sale:
    made = Sale(
        user_id=UserId(UUID(int=7)), source=Source.PURCHASE, merchant="lamps", reference="r",
        money=Money(amount, Currency(currency)), at=NOON, category="light",
    )  # fmt: skip
    return replace(made, **said)


@given(
    st.one_of(st.integers(1, 10_000), st.integers(1, MAX_MINOR)), st.integers(1, 10_000), st.integers(1, 10**13),
    st.integers(0, 18), st.integers(0, 18), st.sampled_from(sorted(DIGITS)),
)  # fmt: skip
def test_a_share_is_exact_and_rounded_down_once(
    amount: int, basis_points: int, numerator: int, scale: int, decimals: int, currency: str
) -> None:
    token = Token(decimals, {Currency(currency): Rate(numerator, 10**scale)})
    exact = base_units(amount, basis_points, Fraction(numerator, 10**scale), decimals, DIGITS[currency])
    assert token.share_of(Money(amount, Currency(currency)), basis_points) == min(exact, MOST)


def test_no_rate_no_cashback_and_never_more_than_a_contract_counts() -> None:
    assert TOKEN.share_of(Money(1_000, Currency("EUR")), 10_000) == 0
    assert Token(36, {USD: Rate(10**30)}).share_of(Money(MAX_MINOR, USD), 10_000) == MOST


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({}, True),
        ({"is_active": False}, False),
        ({"currency": Currency("EUR")}, False),
        ({"category": "light"}, True),
        ({"category": "food"}, False),
        ({"merchant": "lamps"}, True),
        ({"merchant": "Lamps"}, False),
        ({"min_amount": 1_000}, True),
        ({"min_amount": 1_001}, False),
        ({"starts_at": NOON}, True),
        ({"starts_at": NOON + timedelta(microseconds=1)}, False),
        ({"ends_at": NOON + timedelta(microseconds=1)}, True),
        ({"ends_at": NOON}, False),
    ],
    ids=str,
)
def test_a_rule_fits_what_it_says(said: dict[str, Any], fits: bool) -> None:
    assert rule(**said).fits(sale()) is fits


def test_what_has_no_category_fits_no_rule_of_one() -> None:
    assert not rule(category="light").fits(sale(category=None))
    assert rule().fits(sale(category=None))


def test_the_rule_that_gives_most_wins_and_of_a_tie_the_oldest() -> None:
    better, older = rule(2, basis_points=200), rule(3, created_at=NOON - timedelta(1))
    assert best_of([rule(), better], sale(), TOKEN, {}, MOST) == Gift(better.id, 200_000)
    assert best_of([rule(), older], sale(), TOKEN, {}, MOST) == Gift(older.id, 100_000)
    assert best_of([rule(5), rule(4)], sale(), TOKEN, {}, MOST) == Gift(rule(4).id, 100_000)
    # what it gives is what is left of its cap
    capped = replace(better, cap=150_000)
    assert best_of([rule(), capped], sale(), TOKEN, {}, MOST) == Gift(capped.id, 150_000)
    assert best_of([rule(), capped], sale(), TOKEN, {capped.id: 60_000}, MOST) == Gift(rule().id, 100_000)


def test_of_a_cap_what_is_left_is_given_and_then_nothing() -> None:
    capped = rule(cap=150_000)
    given_, gifts = 0, []
    for _ in range(3):
        gift = best_of([capped], sale(), TOKEN, {capped.id: given_}, MOST)
        gifts.append(gift and gift.amount)
        given_ += gift.amount if gift else 0
    assert gifts == [100_000, 50_000, None]
    assert best_of([rule(cap=0)], sale(), TOKEN, {}, MOST) is None
    assert best_of([rule(cap=10)], sale(), TOKEN, {rule().id: 11}, MOST) is None, "a cap that was larger once"


def test_what_is_worth_nothing_earns_nothing_and_no_more_than_there_is_room_for() -> None:
    assert best_of([rule(basis_points=1)], sale(1), Token(0, {USD: Rate(1)}), {}, MOST) is None
    assert best_of([rule()], sale(), TOKEN, {}, 7) == Gift(rule().id, 7)


def test_a_month_is_that_of_utc() -> None:
    assert month_of(datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))) == (2026, 11)
    assert month_of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == (2026, 12)


def test_rates_are_read_exactly() -> None:
    token = RewardsSettings(token_rates="USD=1, EUR=1.08,USDC=0.000000000000000001").token
    assert token.rates == {"USD": Rate(1), "EUR": Rate(108, 100), "USDC": Rate(1, 10**18)}
    assert RewardsSettings(token_rates="").token.rates == {}


@pytest.mark.parametrize(
    "text", ["USD", "USD=", "usd=1", "USD=-1", "USD=1e3", "USD=0", "USD=1,USD=2", "USD=1.", "US=1"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="TOKEN_RATES"):
        RewardsSettings(token_rates=text)
