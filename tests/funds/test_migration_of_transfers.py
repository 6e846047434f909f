"""Migration 0007 on books with something in them: nothing is rewritten, and the version before goes on."""

import uuid
from typing import Any

import psycopg
import pytest

from app.main import databases
from app.main.local.roles import make_database
from app.platform.postgres import migrations
from app.platform.postgres.home import MigrationError
from tests.migrating import down_to

_BIG = ("wallet_balances", "transactions", "ledger_entries")

# What a process of the version before writes of a wallet, in that version's words.
_OLD = """
    INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)
    VALUES (md5(%(user)s)::uuid, 'USD', 0, 0, clock_timestamp()) ON CONFLICT (user_id, currency) DO NOTHING;
    INSERT INTO transactions (user_id, id, kind, payment_id, reference, amount, currency, status, created_at)
    VALUES (md5(%(user)s)::uuid, gen_random_uuid(), 'FUNDING', NULL, %(user)s, 5, 'USD', 'COMPLETED', now());
    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT user_id, id, account, currency, sign * amount, CASE sign WHEN 1 THEN 5 END, CASE sign WHEN 1 THEN 1 END,
           now()
    FROM transactions, (VALUES ('wallet', 1), ('funding', -1)) a (account, sign)
    WHERE reference = %(user)s;
    UPDATE wallet_balances SET current_balance = 5, version = 1, updated_at = clock_timestamp()
    WHERE user_id = md5(%(user)s)::uuid
"""


def write(owner: psycopg.Connection[Any], user: str) -> None:
    for statement in _OLD.split(";"):
        owner.execute(statement.encode(), {"user": user})


@pytest.fixture
def before(postgres_url: str, make_fresh_database: object) -> str:
    """A database of the schema before, with something in it."""
    name = f"at_6_{uuid.uuid4().hex[:8]}"
    make_database(postgres_url, name)
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    migrations.up(databases.at(url))
    assert down_to(url, 6)[-1] == "0007.transfers"
    with psycopg.connect(url, autocommit=True) as owner:
        write(owner, "before")
    return url


def test_nothing_is_rewritten_and_the_version_before_goes_on(before: str) -> None:
    files = "SELECT " + ", ".join(f"pg_relation_filenode('{table}')" for table in _BIG)
    with psycopg.connect(before, autocommit=True) as owner:
        there = owner.execute(files.encode()).fetchone()
        assert migrations.up(databases.at(before))[0] == "0007.transfers"
        assert owner.execute(files.encode()).fetchone() == there
        write(owner, "after")
        stands = owner.execute("SELECT current_balance, held FROM wallet_balances").fetchall()
        assert stands == [(5, 0), (5, 0)]
        assert down_to(before, 6)[-1] == "0007.transfers"
        assert owner.execute("SELECT count(*) FROM transactions").fetchone() == (2,)


def test_no_row_is_walked_over_while_a_table_is_locked(before: str) -> None:
    """A rule that is NOT VALID holds what is written, and looks at nothing that is there."""
    migrations.up(databases.at(before))
    with psycopg.connect(before, autocommit=True) as owner:
        unproven = "SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY conname"
        assert [name for (name,) in owner.execute(unproven).fetchall()] == [
            "ledger_entries_account", "transactions_between_users", "transactions_kind", "transactions_of_a_payment",
            "wallet_balances_held",
        ]  # fmt: skip
        for wrong in (
            "UPDATE transactions SET kind = 'GIFT'",
            "UPDATE transactions SET payment_id = user_id",
            "UPDATE transactions SET counterparty = gen_random_uuid()",
            "UPDATE ledger_entries SET account = 'elsewhere' WHERE account = 'funding'",
            "UPDATE wallet_balances SET held = -1",
            "UPDATE wallet_balances SET held = 9223372036854775803",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                owner.execute(wrong.encode())


def test_the_way_back_is_refused_where_money_moved_between_users(before: str) -> None:
    migrations.up(databases.at(before))
    with psycopg.connect(before, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO transactions (user_id, id, kind, counterparty, amount, currency, status, created_at)"
            " SELECT md5('a')::uuid, gen_random_uuid(), 'TRANSFER_IN', gen_random_uuid(), 1, 'USD', 'COMPLETED', now()"
        )
        with pytest.raises(MigrationError, match=r"0007\.transfers failed"):
            down_to(before, 6)
        assert owner.execute("SELECT count(*) FROM holds").fetchone() == (0,)
