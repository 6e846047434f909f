"""Which currencies there are, and what an amount of one is."""

import dataclasses

import pytest

from app.kernel.currencies import ISO_4217, is_known, is_well_formed
from app.kernel.money import MAX_MINOR, Currency, Money

USD = Currency("USD")


def test_every_currency_of_iso_4217_is_known_and_well_formed() -> None:
    assert len(ISO_4217) > 150
    assert all(is_known(code) and is_well_formed(code) for code in ISO_4217)


@pytest.mark.parametrize("code", ["XAU", "XDR", "XXX", "XTS", "BTC"])
def test_metals_units_of_account_and_test_codes_are_no_money(code: str) -> None:
    assert not is_known(code)


def test_a_currency_that_the_settings_add_is_known_and_no_other() -> None:
    assert is_known("USDC", ("USDC",))
    assert not is_known("USDT", ("USDC",))


@pytest.mark.parametrize("code", ["", "US", "ABCDEF", "usd", "USD\n", " USD", "U5D", "ÜSD"])
def test_a_code_is_three_to_five_capital_letters(code: str) -> None:
    assert not is_well_formed(code)


def test_an_amount_may_be_the_smallest_and_the_largest_that_the_database_holds() -> None:
    assert (Money(1, USD).amount_minor, Money(MAX_MINOR, USD).amount_minor) == (1, 2**63 - 1)


def test_an_amount_is_what_it_is_for_good() -> None:
    amount = Money(5, USD)
    assert amount == Money(5, USD) != Money(5, Currency("EUR"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        amount.amount_minor = 6  # type: ignore[misc]
