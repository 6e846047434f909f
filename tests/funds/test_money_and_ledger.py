"""Money, wallets and the double entry that moves it."""

import pytest

from app.contexts.funds.domain.ledger import Account, Kind, TransactionStatus
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds
from app.contexts.funds.domain.wallet import Wallet
from app.kernel.money import MAX_MINOR, Money
from tests.builders import EUR, NOON, USD, money, payment, wallet


@pytest.mark.parametrize("amount", [0, -1, MAX_MINOR + 1])
def test_an_amount_is_positive_and_fits_a_bigint(amount: int) -> None:
    with pytest.raises(ValueError, match="an amount is within"):
        Money(amount, USD)


def test_a_wallet_pays_its_last_cent_and_no_more() -> None:
    mine, paid = wallet(balance_minor=1_000), payment()
    mine = mine.after(mine.pay_out(paid.transaction_id, paid.id, money(1_000), NOON))
    assert (mine.balance_minor, mine.version) == (0, 2)
    with pytest.raises(InsufficientFunds) as refused:
        mine.pay_out(paid.transaction_id, paid.id, money(1), NOON)
    assert (refused.value.currency, refused.value.current_balance, refused.value.amount) == (USD, 0, 1)


def test_a_wallet_takes_what_fits_and_no_more() -> None:
    mine, of = wallet(balance_minor=MAX_MINOR - 1), payment()
    mine = mine.after(mine.pay_in(of.transaction_id, None, money(1), NOON))
    assert mine.balance_minor == MAX_MINOR
    with pytest.raises(BalanceLimit):
        mine.pay_in(of.transaction_id, None, money(1), NOON)
    with pytest.raises(BalanceLimit):
        mine.refund(of.transaction_id, of.id, money(1), NOON)


def test_currencies_do_not_mix() -> None:
    mine, of = wallet(), payment()
    with pytest.raises(ValueError, match="cannot be moved"):
        mine.pay_in(of.transaction_id, None, money(1, EUR), NOON)
    with pytest.raises(ValueError, match="cannot be moved"):
        mine.pay_out(of.transaction_id, of.id, money(1, EUR), NOON)


def test_a_payment_debits_the_wallet_and_its_refund_puts_it_back() -> None:
    mine, paid = wallet(balance_minor=1_500, version=4), payment()
    debit = mine.pay_out(paid.transaction_id, paid.id, money(1_000), NOON)
    assert (debit.kind, debit.status, debit.payment_id) == (Kind.PAYMENT, TransactionStatus.PENDING, paid.id)
    assert [(e.account, e.amount_minor) for e in debit.entries] == [(Account.WALLET, -1_000), (Account.PAYMENTS, 1_000)]
    assert [(e.balance_after_minor, e.wallet_version) for e in debit.entries] == [(500, 5), (None, None)]
    back = mine.after(debit).refund(paid.transaction_id, paid.id, money(1_000), NOON)
    assert (back.kind, back.status) == (Kind.REFUND, TransactionStatus.COMPLETED)
    assert [e.amount_minor for e in back.entries] == [1_000, -1_000]
    assert mine.after(debit).after(back) == Wallet(mine.user_id, USD, 1_500, 6, moved_at=back.created_at)


def test_funding_comes_from_outside() -> None:
    mine = wallet(balance_minor=0, version=0)
    funding = mine.pay_in(payment().transaction_id, "salary", money(7, USD), NOON)
    assert [e.account for e in funding.entries] == [Account.WALLET, Account.FUNDING]
    assert (funding.currency, funding.reference, funding.payment_id) == (USD, "salary", None)
