"""Wallets as money is moved in and out of them: opened, locked with all that they hold, and written."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.postgres.pipeline import Call, Row, Statement, columns

# Who is sent money gets a wallet for it, but not by a sender who has none to send: nobody fills others' houses with
# empty wallets. A sender who has it by then only, as it came in the same batch or since this was looked at, is rare: it
# is looked at again. Both look-ups are scalar, which leaves no choice but the key's index. Sorted, so that two batches
# never wait for each other's wallets crosswise.
_OPEN: Final = Statement("""
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    SELECT user_id, currency, 0, 0, clock_timestamp()
    FROM (
        SELECT DISTINCT r.user_id, r.currency
        FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::bigint[]) AS r (user_id, currency, payer, amount)
        WHERE (SELECT false FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = r.currency) IS NULL
            AND (r.payer IS NULL OR r.amount <= (
                SELECT current_balance FROM wallet_balances p WHERE p.user_id = r.payer AND p.currency = r.currency))
    ) missing
    ORDER BY user_id, currency COLLATE "C"
    ON CONFLICT (user_id, currency) DO NOTHING
""")

# The holds are locked by then.
_OPEN_FOR_PARTS: Final = Statement("""
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    SELECT user_id, currency, 0, 0, clock_timestamp()
    FROM (
        SELECT DISTINCT r.user_id, r.currency
        FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::uuid[]) AS r (user_id, currency, owner, hold_id)
        WHERE (SELECT false FROM wallet_balances w WHERE w.user_id = r.user_id AND w.currency = r.currency) IS NULL
            AND (SELECT h.closed_at IS NULL AND h.currency = r.currency FROM holds h
                 WHERE h.user_id = r.owner AND h.id = r.hold_id)
    ) missing
    ORDER BY user_id, currency COLLATE "C"
    ON CONFLICT (user_id, currency) DO NOTHING
""")

_LOCK: Final = Statement("""
    SELECT w.user_id, w.currency, w.current_balance, w.version, w.held, w.updated_at
    FROM wallet_balances w
    WHERE (w.user_id, w.currency) IN (SELECT * FROM unnest(%b::uuid[], %b::text[]))
    ORDER BY w.user_id, w.currency
    FOR UPDATE OF w
""")

# The clock may have gone back since the wallet moved: what moves it next has to come after that.
_WRITE: Final = Statement("""
    UPDATE wallet_balances w
    SET current_balance = r.balance, held = r.held, version = r.version,
        updated_at = greatest(clock_timestamp(), r.moved_at)
    FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[], %b::timestamptz[])
        AS r (user_id, currency, balance, held, version, moved_at)
    WHERE w.user_id = r.user_id AND w.currency = r.currency
""")

Opening = tuple[UserId, Currency, UserId | None, int]
"""Whose wallet of a currency may be missing, who sends something there, if it is a user, and how much."""


def open_wallets(openings: Iterable[Opening]) -> Call:
    """The statement behind which whoever is sent money has a wallet. There has to be one."""
    return _OPEN, columns([*openings])


def open_wallets_for_parts(openings: Iterable[tuple[UserId, Currency, UserId, UUID]]) -> Call:
    """The same for those who are given a part of a hold: beneficiary, currency, the hold's owner and its id."""
    return _OPEN_FOR_PARTS, columns([*openings])


def lock_wallets(wallets: Iterable[WalletId]) -> Call:
    """The statement that locks those of the wallets that there are, of one at least; `wallets_of` reads its rows."""
    return _LOCK, columns([*dict.fromkeys(wallets)])


def wallets_of(rows: Iterable[Row]) -> Mapping[WalletId, Wallet]:
    """The wallets that were locked."""
    return {(UserId(user_id), Currency(code)): Wallet(user_id, code, *rest) for user_id, code, *rest in rows}


def write_wallets(wallets: Mapping[WalletId, Wallet]) -> Call:
    """The statement that writes the wallets, each of which is locked."""
    return _WRITE, columns([(*of, w.balance_minor, w.held_minor, w.version, w.moved_at) for of, w in wallets.items()])
