"""What a wallet is about, in two tests: what comes in and goes out adds up, and nobody sends what they do not have."""

from collections.abc import Iterator

import pytest

from app.main.local.roles import Urls
from tests.api_harness import error
from tests.funds.wired import Bank, bank_over


@pytest.fixture(scope="module")
def bank(module_database: Urls) -> Iterator[Bank]:
    with bank_over(module_database) as bank:
        yield bank


def test_CreateWallet_DepositAndWithdraw_ShouldBalanceCorrectly(bank: Bank) -> None:  # noqa: N802
    alice, bob = bank.user(), bank.user()
    assert bank.balance(alice) is None
    assert bank.receive(alice, 1_000, "a deposit").status_code == 201
    assert bank.receive(alice, 500, "another").status_code == 201
    assert bank.balance(alice) == 1_500
    assert bank.send(alice, bob, 600).status_code == 201
    assert (bank.balance(alice), bank.balance(bob)) == (900, 600)
    moved = [(line["direction"], line["amount"], line["balance_after"]) for line in bank.lines(alice)]
    assert moved == [("DEBIT", 600, 900), ("CREDIT", 500, 1_500), ("CREDIT", 1_000, 1_000)]


def test_SendFunds_InsufficientBalance_ShouldFail(bank: Bank) -> None:  # noqa: N802
    alice, bob = bank.user(holding=100), bank.user()
    details = error(bank.send(alice, bob, 101), 409, "INSUFFICIENT_FUNDS")
    assert details == {"currency": "USD", "current_balance": 100, "amount": 101}
    assert (bank.balance(alice), bank.balance(bob)) == (100, None)
