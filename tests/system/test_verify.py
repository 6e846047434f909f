"""`strongbox verify` finds what has been tampered with, and names it. Operators' commands leave a record.

What may be done to the audit trail has a file of its own.
"""

import json
import os
import re
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
import pytest

from app.contexts.funds.adapters.postgres import invariants as of_funds
from app.main.contexts import load
from app.main.local.roles import Urls
from app.main.verification import verify
from tests.conftest import MakeDatabase
from tests.system.e2e.house import in_time, wait_until
from tests.system.tamperings import TAMPERINGS
from tests.system.verified_books import books, database, on_a_terminal, strongbox, written

__all__ = ["books", "database", "written"]


async def test_what_is_right_holds(books: psycopg.AsyncConnection, database: Urls) -> None:
    """Wherever the server's clock hangs."""
    await books.execute(f"ALTER DATABASE {books.info.dbname} SET TimeZone = 'Asia/Kolkata'".encode())
    done = strongbox(database, "verify")
    assert (done.returncode, "BROKEN" in done.stdout) == (0, False), done.stdout + done.stderr
    report = json.loads(strongbox(database, "verify", "--json").stdout)
    assert report["holds"] is True
    assert all(check["holds"] for check in report["checks"])


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
async def test_tampering_is_named(
    books: psycopg.AsyncConnection, database: Urls, check: str, tampering: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await books.execute(tampering.encode())).rowcount != 0
    assert await verify(load({"DATABASE_URL": database.app_url}), as_json=True) == 1
    found = json.loads(capsys.readouterr().out)["checks"]
    broken = {check["name"]: check["offenders"] for check in found if not check["holds"]}
    assert broken[check]


async def test_a_reference_that_paid_in_past_its_index_is_named(
    books: psycopg.AsyncConnection, database: Urls, postgres_url: str
) -> None:
    """As after another order of texts: the index is there, and does not know what it was asked for."""
    user = (await (await books.execute("SELECT user_id FROM wallet_balances")).fetchall())[0][0]
    superuser_url = f"{postgres_url.rpartition('/')[0]}/{books.info.dbname}"
    async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as superuser:
        mark = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'transactions_once_per_reference'::regclass"
        await superuser.execute(mark.format("false").encode())
        await superuser.execute("UPDATE transactions SET reference = 's' WHERE kind = 'FUNDING'")
        assert strongbox(database, "wallet", "fund", str(user), "USD", "1000", "--reference", "r").returncode == 0
        await superuser.execute("UPDATE transactions SET reference = 'r' WHERE kind = 'FUNDING'")
        await superuser.execute(mark.format("true").encode())
    done = strongbox(database, "verify")
    assert done.returncode == 1
    assert f"user {user} was paid in 2 times under one reference in USD" in done.stdout
    (query,) = [query for name, _, query in of_funds.QUERIES if name == "references_pay_in_once"]
    await books.execute("SET enable_seqscan = off; SET enable_hashagg = off")
    plan = "\n".join(line for (line,) in await (await books.execute(f"EXPLAIN {query}".encode())).fetchall())
    assert "transactions_once_per_reference" not in plan, plan


async def test_another_order_of_texts_is_noted(
    books: psycopg.AsyncConnection, database: Urls, postgres_url: str
) -> None:
    if books.info.server_version < 150000:
        pytest.skip("PostgreSQL 14 does not note the version of a database's collation")
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as superuser:
        was = "UPDATE pg_database SET datcollversion = '153.14' WHERE datname = %s"
        await superuser.execute(was, [books.info.dbname])
        actual = "SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = %s"
        ((now,),) = await (await superuser.execute(actual, [books.info.dbname])).fetchall()
    # PostgreSQL takes no version back, where its library notes none.
    cure = "REFRESH COLLATION VERSION" if now else "dump it and restore it here"
    done = strongbox(database, "verify")
    assert done.returncode == 0
    assert (
        done.stdout.count("the order of texts has changed since the database was made (collation: the database's") == 1
    )

    def it_is_told_with_its_cure() -> None:
        status = json.loads(strongbox(database, "status", "--json").stdout)
        (part,) = [part for part in status["parts"] if part["part"] == "database"]
        assert part["state"] == "degraded"
        assert cure in part["hint"]

    in_time(it_is_told_with_its_cure)


async def test_the_trail_of_a_database_of_its_own_is_looked_at_there(make_fresh_database: MakeDatabase) -> None:
    """Its grants, too. An owner cannot be held to append-only: that is a note, not an offence."""
    database, trail = make_fresh_database(), make_fresh_database()
    assert json.loads(strongbox(database, "verify", "--json", AUDIT_DATABASE_URL=trail.app_url).stdout)["notes"] == [
        "the gateway's record was not compared: GATEWAY_URL is not set",
        "the contract was not looked at: EVM_RPC_URL or CHAIN_CONTRACT is not set",
    ]
    async with await psycopg.AsyncConnection.connect(trail.owner_url, autocommit=True) as owner:
        await owner.execute("GRANT UPDATE (hash) ON audit.events TO strongbox_service")
    assert strongbox(database, "verify").returncode == 0
    done = strongbox(database, "verify", AUDIT_DATABASE_URL=trail.app_url)
    assert (done.returncode, "strongbox_service may UPDATE audit.events" in done.stdout) == (1, True), done.stdout
    done = strongbox(database, "verify", AUDIT_DATABASE_URL=trail.owner_url)
    assert (done.returncode, "strongbox_owner" in done.stdout) == (0, False), done.stdout
    assert "append-only is not enforced on audit.events: AUDIT_DATABASE_URL logs in as the owner" in done.stdout


@pytest.mark.parametrize(
    ("final_h", "made_again_h", "is_wrong"),
    [
        (30, 1, False),
        (23, 1, True),
        # A former, shorter IDEMPOTENCY_TTL_H may have allowed it.
        (60, 50, False),
        (50, 60, True),
    ],
)
async def test_a_key_may_be_used_again_once_it_was_purged(
    books: psycopg.AsyncConnection, database: Urls, final_h: int, made_again_h: int, is_wrong: bool
) -> None:
    """Hours ago one payment was final, and the other made under its key."""
    await books.execute("DELETE FROM idempotency_keys WHERE key = 'key-0'")
    await books.execute(
        "UPDATE payments SET idempotency_key = 'key-1', created_at = now() - interval '100 h',"
        " finalized_at = now() - %s * interval '1 h' WHERE idempotency_key = 'key-0'",
        [final_h],
    )
    await books.execute(
        "UPDATE payments SET created_at = now() - %s * interval '1 h' WHERE status = 'DECLINED'", [made_again_h]
    )
    assert ("under one key" in strongbox(database, "verify").stdout) is is_wrong


async def test_it_shows_on_a_terminal_what_it_does_and_how_much_is_done(database: Urls) -> None:
    shown = on_a_terminal(database, "verify")
    checks = json.loads(strongbox(database, "verify", "--json").stdout)["checks"]
    names = [check["name"] for check in checks if check["name"] != "charges_match_payments"]
    assert len(names) > 30
    lines = [re.fullmatch(r"[█░]{24} +(\d+) %  (.+) …", line) for line in shown.split("\r\x1b[K") if line]
    told = [(int(line[1]), line[2]) for line in lines if line]
    assert told[0] == (0, "the gateway's record")
    assert sorted(name for _, name in told[1:]) == sorted(names)
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] >= 100 - 2 * 100 // len(names)
    assert shown.endswith("\r\x1b[K")
    assert on_a_terminal(database, "verify", "--json") == ""
    assert strongbox(database, "verify").stderr == ""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_ended_in_the_middle(database: Urls, postgres_url: str, end: signal.Signals) -> None:
    """The same on both signals, and its sessions end with it."""
    name = urlsplit(database.app_url).path[1:]
    with psycopg.connect(f"{postgres_url.rpartition('/')[0]}/{name}", autocommit=True) as superuser:
        superuser.execute(
            "ALTER TABLE audit.head RENAME TO real_head; GRANT SELECT ON audit.real_head TO strongbox_app;"
            "CREATE VIEW audit.head AS SELECT real_head.* FROM audit.real_head, pg_sleep(600);"
            "GRANT SELECT ON audit.head TO strongbox_app"
        )

        def sessions(wait_event: str) -> int:
            query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event LIKE %s"
            return superuser.execute(f"{query} AND application_name = 'strongbox-verify'", [wait_event]).rowcount

        process = subprocess.Popen(
            [sys.executable, "-m", "app", "verify"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]},
        )  # fmt: skip
        try:
            wait_until(lambda: sessions("PgSleep") > 0, "a check to be under way")
            process.send_signal(end)
            assert process.communicate(timeout=300) == ("", "Aborted!\n")
            assert process.returncode == 1
        finally:
            process.kill()
            process.communicate()
        wait_until(lambda: sessions("%") == 0, "its sessions to end")


async def test_what_operators_did_is_recorded(books: psycopg.AsyncConnection) -> None:
    rows = await (await books.execute("SELECT action, details FROM audit.actions ORDER BY id")).fetchall()
    assert [action for action, _ in rows] == ["provider add", "wallet fund"]
    assert (rows[1][1]["amount"], rows[1][1]["reference"]) == (1000, "r")


async def test_a_repeated_command_says_so_and_records_nothing(books: psycopg.AsyncConnection, database: Urls) -> None:
    ((user,),) = await (await books.execute("SELECT user_id FROM wallet_balances")).fetchall()
    again = strongbox(database, "wallet", "fund", str(user), "USD", "1000", "--reference", "r")
    assert (again.returncode, "nothing was done" in again.stdout) == (0, True)
    other = strongbox(database, "wallet", "fund", str(user), "USD", "1001", "--reference", "r")
    assert (other.returncode, "1000" in other.stderr) == (1, True)
    ((count,),) = await (await books.execute("SELECT count(*) FROM audit.actions")).fetchall()
    assert count == 2


async def test_a_wallet_that_someone_holds_is_said_without_a_traceback(
    books: psycopg.AsyncConnection, database: Urls
) -> None:
    ((user,),) = await (await books.execute("SELECT user_id FROM wallet_balances")).fetchall()
    async with books.transaction():
        await books.execute("SELECT * FROM wallet_balances FOR UPDATE")
        done = strongbox(database, "wallet", "fund", str(user), "USD", "1")
    assert (done.returncode, "try again" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
