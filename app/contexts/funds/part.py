"""Funds' part of a transaction that is another's: statements for its batch. For payments' PostgreSQL adapter alone.

Payment, debit and event are one transaction of two round trips: whoever begins it locks the wallets last, behind all
else that it locks (one order everywhere: keys, payments, wallets, each by its primary key), and writes them with what
else it writes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.pipeline import Call, Row, Statement, columns


@dataclass(frozen=True, slots=True)
class PaymentQueries:
    """What payments tell funds, who do not know them: queries that stand in a FROM of funds' own statements."""

    pending: str
    """`user_id, currency, amount` of whatever is not final and may come back to its wallet: payments, and refunds."""
    recipients: str
    """`user_id, id, provider_id, external_reference` of every payment: to whom it went."""


NO_PAYMENTS: Final = PaymentQueries(
    pending="SELECT user_id, currency, amount FROM transactions WHERE false",
    recipients="SELECT user_id, id, id AS provider_id, '' AS external_reference FROM transactions WHERE false",
)
"""Where there are none."""

_OPEN_WALLET = Statement("""
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    VALUES (%b::uuid, %b::text, 0, 0, clock_timestamp())
    ON CONFLICT (user_id, currency) DO NOTHING
""")

_LOCK_WALLETS = Statement("""
    SELECT w.user_id, w.currency, w.current_balance, w.version, w.held, w.updated_at
    FROM wallet_balances w
    WHERE (w.user_id, w.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY w.user_id, w.currency
    FOR UPDATE OF w
""")

_INSERT_TRANSACTIONS = Statement("""
    INSERT INTO transactions (user_id, id, kind, payment_id, reference, amount, currency, status, created_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::bigint[], %b::text[],
                         %b::text[], %b::timestamptz[])
""")

_INSERT_ENTRIES = Statement("""
    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],
                         %b::timestamptz[])
""")

# The clock may have gone back since the wallet moved: what moves it next has to come after that.
_UPDATE_WALLETS = Statement("""
    UPDATE wallet_balances w
    SET current_balance = r.balance, version = r.version, updated_at = greatest(clock_timestamp(), r.moved_at)
    FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::bigint[], %b::timestamptz[])
        AS r (user_id, currency, balance, version, moved_at)
    WHERE w.user_id = r.user_id AND w.currency = r.currency
""")

_SETTLE_TRANSACTIONS = Statement("""
    UPDATE transactions t SET status = r.status
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS r (user_id, id, status)
    WHERE t.user_id = r.user_id AND t.id = r.id
""")


def has_wallet(user_id: str, currency: str) -> str:
    """A condition for a WHERE: whether the user has a wallet. It is given SQL, columns or parameters."""
    return f"EXISTS (SELECT FROM wallet_balances w WHERE w.user_id = {user_id} AND w.currency = {currency})"


def open_wallet(user_id: UserId, currency: Currency) -> Call:
    """The statement behind which there is a wallet, an empty one where there was none."""
    return _OPEN_WALLET, (user_id, currency)


def lock_wallets(wallets: Sequence[WalletId]) -> Call:
    """The statement that locks those of the wallets that there are; `wallets_of` reads its rows."""
    return _LOCK_WALLETS, ([user_id for user_id, _ in wallets], [currency for _, currency in wallets])


def wallets_of(rows: Iterable[Row]) -> Mapping[WalletId, Wallet]:
    """The wallets that were locked."""
    return {(UserId(user_id), Currency(code)): Wallet(user_id, code, *rest) for user_id, code, *rest in rows}


class PendingSums:
    """Reads what may come back to wallets. Behind their locks, which every payment takes, none is missed."""

    def __init__(self, payments: PaymentQueries) -> None:
        self.statement = Statement(f"""
            SELECT p.user_id, p.currency, sum(p.amount) FROM ({payments.pending}) p
            WHERE (p.user_id, p.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
            GROUP BY p.user_id, p.currency
        """)

    def of(self, wallets: Iterable[WalletId]) -> Call:
        """The statement for those wallets; `sums_of` reads its rows. There has to be one."""
        return self.statement, columns([*dict.fromkeys(wallets)])


def sums_of(rows: Sequence[Row]) -> Mapping[WalletId, int]:
    """What may come back, by wallet, in minor units. It may be more than a bigint holds."""
    return {(UserId(user_id), Currency(code)): int(total) for user_id, code, total in rows}


def write(transactions: Sequence[Transaction]) -> Iterator[Call]:
    """The statements that write the transactions, and their wallets as they are behind them.

    Each wallet is one that the transaction has locked, and its transactions come in their order.
    """
    yield _INSERT_TRANSACTIONS, columns([
        (t.user_id, t.id, t.kind, t.payment_id, t.reference, t.money.amount_minor, t.money.currency, t.status,
         t.created_at)
        for t in transactions
    ])  # fmt: skip
    yield entries(transactions)
    newest = {(t.user_id, t.money.currency): (t.entries[0], t.created_at) for t in transactions}
    yield (
        _UPDATE_WALLETS,
        columns([(*wallet, e.balance_after_minor, e.wallet_version, at) for wallet, (e, at) in newest.items()]),
    )


def entries(transactions: Sequence[Transaction]) -> Call:
    """The statement that writes the transactions' legs."""
    return _INSERT_ENTRIES, columns([
        (t.user_id, t.id, e.account, t.money.currency, e.amount_minor, e.balance_after_minor, e.wallet_version,
         t.created_at)
        for t in transactions
        for e in t.entries
    ])  # fmt: skip


def settle(statuses: Sequence[tuple[UserId, UUID, str]]) -> Call:
    """The statement that gives payments' transactions (user and id) the status that their payment has now."""
    return _SETTLE_TRANSACTIONS, columns(statuses)
