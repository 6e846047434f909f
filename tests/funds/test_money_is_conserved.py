"""Whatever is paid in, paid out and refunded: entries sum to zero and the wallet is the sum of its entries."""

from hypothesis import given
from hypothesis import strategies as st

from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds
from app.kernel.money import MAX_MINOR
from tests.builders import NOON, money, payment, wallet

amounts = st.one_of(st.integers(1, 1_000), st.integers(1, MAX_MINOR))
moves = st.lists(st.tuples(st.sampled_from(["in", "out", "back"]), amounts), max_size=40)


@given(moves)
def test_a_wallet_is_the_sum_of_its_entries_within_its_limits(moves: list[tuple[str, int]]) -> None:
    mine, of = wallet(balance_minor=0, version=0), payment()
    done: list[Transaction] = []
    for kind, amount in moves:
        try:
            match kind:
                case "in":
                    done.append(mine.pay_in(of.transaction_id, None, money(amount), NOON))
                case "out":
                    done.append(mine.pay_out(of.transaction_id, of.id, money(amount), NOON))
                case _:
                    done.append(mine.refund(of.transaction_id, of.id, money(amount), NOON))
            mine = mine.after(done[-1])
        except InsufficientFunds:
            assert amount > mine.balance_minor
        except BalanceLimit:
            assert mine.balance_minor + amount > MAX_MINOR
    assert mine.balance_minor == sum(transaction.entries[0].amount_minor for transaction in done)
    assert 0 <= mine.balance_minor <= MAX_MINOR
    assert mine.version == len(done)
    assert all(sum(entry.amount_minor for entry in transaction.entries) == 0 for transaction in done)
    if done:
        assert done[-1].entries[0].balance_after_minor == mine.balance_minor
