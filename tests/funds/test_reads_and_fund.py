"""Funding a wallet and reading it."""

import pytest

from app.contexts.funds.application.fund import Fund, Funded
from app.contexts.funds.application.read_balance import read_balance
from app.contexts.funds.application.read_transactions import read_transactions
from app.contexts.funds.domain.refusals import (
    BalanceLimit,
    CurrencyUnknown,
    ReferenceReused,
    UserNotFound,
    WalletNotFound,
)
from app.kernel.currencies import is_known, is_well_formed
from app.kernel.money import MAX_MINOR, Currency
from tests.builders import EUR, USD, CountingIds, money, user_id
from tests.fakes.books import FakeBooks, FakeReader
from tests.fakes.funding_books import FakeFundingBooks


async def test_a_user_without_a_wallet_is_not_found() -> None:
    reader = FakeReader(FakeBooks())
    with pytest.raises(UserNotFound):
        await read_balance(reader, user_id(), None)
    with pytest.raises(UserNotFound):
        await read_transactions(reader, user_id(), None, None, 10)


async def test_balances_come_by_currency_or_one_by_name() -> None:
    books, user = FakeBooks(), user_id()
    fund, reader = Fund(FakeFundingBooks(books), CountingIds()).fund, FakeReader(books)
    await fund(user, money(5, USD), None)
    await fund(user, money(7, EUR), None)
    assert [(b.currency, b.current_balance) for b in await read_balance(reader, user, None)] == [("EUR", 7), ("USD", 5)]
    assert [b.currency for b in await read_balance(reader, user, USD)] == ["USD"]
    with pytest.raises(WalletNotFound):
        await read_balance(reader, user, Currency("GBP"))


async def test_the_last_page_names_no_next_one() -> None:
    books, user = FakeBooks(), user_id()
    for n in range(4):
        await Fund(FakeFundingBooks(books), CountingIds(10 * n)).fund(user, money(1), str(n))
    page = await read_transactions(FakeReader(books), user, None, None, 2)
    assert page.next is not None
    page = await read_transactions(FakeReader(books), user, None, page.next, 2)
    assert page.next is None
    assert [line.external_reference for line in page.lines] == ["1", "0"]


async def test_a_reference_funds_once_and_never_another_amount() -> None:
    books, user = FakeBooks(), user_id()
    fund = Fund(FakeFundingBooks(books), CountingIds()).fund
    assert await fund(user, money(5), "salary") == Funded(5, already=False)
    assert await fund(user, money(5), "salary") == Funded(5, already=True)
    with pytest.raises(ReferenceReused):
        await fund(user, money(6), "salary")


async def test_new_money_is_of_a_known_currency_and_what_was_paid_in_before_stays_so() -> None:
    books, user, gone = FakeBooks(), user_id(), Currency("GONE")
    await Fund(FakeFundingBooks(books), CountingIds(), {gone}).fund(user, money(5, gone), "salary")
    fund = Fund(FakeFundingBooks(books), CountingIds(10)).fund
    assert await fund(user, money(5, gone), "salary") == Funded(5, already=True)
    for reference in ("another", None):
        with pytest.raises(CurrencyUnknown):
            await fund(user, money(5, gone), reference)
    with pytest.raises(CurrencyUnknown):
        await fund(user, money(5, Currency("ZZZ")), None)
    assert [(b.currency, b.current_balance) for b in await read_balance(FakeReader(books), user, None)] == [("GONE", 5)]


async def test_no_wallet_is_funded_past_its_limit() -> None:
    books, user = FakeBooks(), user_id()
    fund = Fund(FakeFundingBooks(books), CountingIds()).fund
    await fund(user, money(MAX_MINOR), None)
    with pytest.raises(BalanceLimit):
        await fund(user, money(1), None)


def test_currencies_are_iso_s_and_those_that_are_added() -> None:
    assert is_known("USD")
    assert not is_known("USDC")
    assert is_known("USDC", ["USDC"])


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("USD", True),
        ("USDCX", True),
        ("US", False),
        ("USDUSD", False),
        ("usd", False),
        ("USD\n", False),
        ("UЅD", False),
    ],
)
def test_a_currency_has_three_to_five_capital_letters(code: str, is_one: bool) -> None:
    assert is_well_formed(code) is is_one
