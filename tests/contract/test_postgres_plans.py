"""Hot statements find their rows by index, as the prepared statement gets its plan, once the tables have grown."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.adapters.postgres import books, changes, pending, reading
from app.adapters.postgres.pipeline import Statement
from app.adapters.postgres.pool import session_url
from tests.builders import NOON

ROWS = 20_000
USERS = [uuid4() for _ in range(32)]
IDS = [uuid4() for _ in USERS]
KEYS = [f"key {n}" for n in range(len(USERS))]

_FILL = f"""
    INSERT INTO wallet_balances SELECT gen_random_uuid(), 'USD', 1, 1, now() FROM generate_series(1, {ROWS});
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, created_at, finalized_at)
    SELECT user_id, gen_random_uuid(), gen_random_uuid(), 'k', gen_random_uuid(), 'r', 1, 'USD', 'APPROVED',
           now(), now()
    FROM wallet_balances;
    INSERT INTO transactions (user_id, id, kind, payment_id, amount, currency, status, created_at)
    SELECT user_id, transaction_id, 'PAYMENT', id, 1, 'USD', 'APPROVED', now() FROM payments;
    INSERT INTO idempotency_keys SELECT user_id, idempotency_key, 'x', id, 201, 'y', now(), now() FROM payments;
    ANALYZE wallet_balances, payments, transactions, idempotency_keys;
"""

# Planned for any values, as the connections of the books have it.
GENERIC: list[tuple[str, Statement, tuple[Any, ...]]] = [
    ("lock wallets", books._LOCK_WALLETS, (USERS, ["USD"] * len(USERS))),
    ("lock keys", books._LOCK_KEYS, (USERS, KEYS)),
    ("lock payments", books._LOCK_PAYMENTS, (USERS, IDS)),
    ("read records", books._RECORDS, (USERS, KEYS)),
    ("mark", changes._MARK_PAYMENTS, (USERS, IDS, [NOON] * len(USERS))),
    ("settle", changes._SETTLE_PAYMENTS, (USERS, IDS, ["FAILED"] * 32, ["X"] * 32, [NOON] * 32)),
    ("settle transactions", changes._SETTLE_TRANSACTIONS, (USERS, IDS, ["FAILED"] * 32)),
    ("update wallets", changes._UPDATE_WALLETS, (USERS, ["USD"] * 32, [1] * 32, [1] * 32)),
    ("store answers", changes._STORE_ANSWERS, (USERS, KEYS, [201] * 32, [b"x"] * 32, [True] * 32)),
]
# Planned for the values.
CUSTOM: list[tuple[str, str, tuple[Any, ...]]] = [
    ("take", pending._TAKE, (5.0, 15.0, 10)),
    ("history", reading._TRANSACTIONS[False, False].text, (USERS[0], 51)),
    ("history of a currency", reading._TRANSACTIONS[True, False].text, (USERS[0], "USD", 51)),
    ("history behind a line", reading._TRANSACTIONS[False, True].text, (USERS[0], NOON, IDS[0], 51)),
    ("balances", reading._BALANCES.text, (USERS[0],)),
    ("key", reading._KEY.text, (USERS[0], "k")),
]
HOT = [(name, "force_generic_plan", statement.text, values) for name, statement, values in GENERIC] + [
    (name, "force_custom_plan", text, values) for name, text, values in CUSTOM
]


@pytest.fixture(scope="module")
def filled(module_database: Any) -> str:
    """A database whose tables have grown."""
    with psycopg.connect(module_database.owner_url, autocommit=True) as owner:
        owner.execute(_FILL.encode())
    return str(module_database.app_url)


@pytest.mark.parametrize(("mode", "text", "values"), [hot[1:] for hot in HOT], ids=[hot[0] for hot in HOT])
def test_a_hot_statement_never_reads_a_table_through(
    filled: str, mode: str, text: str, values: tuple[Any, ...]
) -> None:
    with psycopg.connect(session_url(filled, "plans", plan_cache_mode=mode), autocommit=True) as connection:
        rows = connection.cursor(binary=True).execute(f"EXPLAIN {text}".encode(), values, prepare=True)
        plan = "\n".join(line for (line,) in rows)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan
