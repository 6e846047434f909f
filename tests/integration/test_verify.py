"""`strongbox verify` finds what has been tampered with, and names it. Operators' commands leave a record.

What may be done to the audit trail has a file of its own.
"""

import json
import os
import pty
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress

import psycopg
import pytest

from app.adapters.http.answers import HttpAnswers
from app.adapters.postgres.books import PostgresBooks
from app.adapters.postgres.integrity import QUERIES
from app.adapters.postgres.pool import make_pool
from app.application.payments.reserve import Reserve, Reserved
from app.application.payments.settle import Settle, Settlement
from app.domain.payments.provider import Approved, Declined, Outcome
from app.main.ids import uuid7
from app.main.local.roles import Urls
from consumers.audit import Audit
from consumers.database import Database
from tests.builders import money, payment_request


def strongbox(database: Urls, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "app", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
async def books(database: Urls) -> AsyncIterator[psycopg.AsyncConnection]:
    """Three payments (approved, declined, pending) whose events are in the audit trail; the owner's connection."""
    user, provider = uuid.uuid4(), uuid.uuid4()
    assert strongbox(database, "provider", "add", "Acme", "--id", str(provider)).returncode == 0
    assert strongbox(database, "wallet", "fund", str(user), "USD", "1000", "--reference", "r").returncode == 0
    outcomes: list[Outcome | None] = [Approved(), Declined("NO"), None]
    async with make_pool(database.app_url, "test", 2) as pool:
        reserve = Reserve(PostgresBooks(pool), HttpAnswers(), uuid7)
        settle = Settle(PostgresBooks(pool), HttpAnswers(), uuid7)
        for nth, outcome in enumerate(outcomes):
            request = payment_request(user_id=user, provider_id=provider, key=f"key-{nth}", money=money(10))
            (reserved,) = await reserve([request])
            assert isinstance(reserved, Reserved)
            if outcome is not None:
                await settle([Settlement(reserved.payment, outcome)])
    async with await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True) as owner:
        rows = await (await owner.execute("SELECT payload::text FROM outbox_events ORDER BY id")).fetchall()
        audit = Database(database.app_url, "test")
        await audit_all(audit, [document.encode() for (document,) in rows])
        yield owner


async def audit_all(database: Database, documents: list[bytes]) -> None:
    await Audit(database)(documents)
    await database.close()


async def test_what_is_right_holds(books: psycopg.AsyncConnection, database: Urls) -> None:
    done = strongbox(database, "verify")
    assert (done.returncode, "BROKEN" in done.stdout) == (0, False), done.stdout + done.stderr
    report = json.loads(strongbox(database, "verify", "--json").stdout)
    assert report["holds"] is True
    assert all(check["holds"] for check in report["checks"])


TAMPERINGS = {
    "wallets_match_their_entries": ["UPDATE wallet_balances SET current_balance = current_balance + 1"],
    "entries_sum_to_zero": ["UPDATE ledger_entries SET amount = amount - 1 WHERE account = 'payments'"],
    "transactions_have_two_legs": [
        "UPDATE transactions SET status = 'PENDING' WHERE kind = 'FUNDING'",
        "UPDATE ledger_entries SET account = 'payments' WHERE account = 'funding'",
        "DELETE FROM ledger_entries WHERE account = 'funding'",
    ],
    "histories_have_no_gaps": ["UPDATE ledger_entries SET wallet_version = 9 WHERE wallet_version = 2"],
    "payments_match_their_transactions": [
        "UPDATE payments SET status = 'FAILED' WHERE status = 'APPROVED'",
        "UPDATE payments SET amount = 11 WHERE status = 'APPROVED'",
    ],
    "keys_match_their_payments": [
        "UPDATE idempotency_keys SET payment_id = (SELECT id FROM payments WHERE status = 'DECLINED')"
        " WHERE key = 'key-0'",
        "UPDATE idempotency_keys SET response_body = 'x' WHERE key = 'key-0'",
        "DELETE FROM idempotency_keys WHERE key = 'key-2'",
    ],
    "payments_match_their_events": [
        "DELETE FROM outbox_events WHERE type = 'payment.completed'",
        "UPDATE outbox_events SET payload = '{}' WHERE type = 'payment.completed'",
    ],
    "ledger_is_append_only": ["GRANT UPDATE (amount) ON ledger_entries TO strongbox_app"],
    "audit_chain_is_unbroken": [
        "UPDATE audit.events SET payload = (payload::text || ' ')::json WHERE position = 2",
    ],
    "audit_trail_is_complete": ["UPDATE audit.events SET subject = gen_random_uuid() WHERE position = 1"],
}


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
async def test_tampering_is_named(books: psycopg.AsyncConnection, database: Urls, check: str, tampering: str) -> None:
    assert (await books.execute(tampering.encode())).rowcount != 0
    done = strongbox(database, "verify", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    broken = {found["name"]: found["offenders"] for found in json.loads(done.stdout)["checks"] if not found["holds"]}
    assert broken[check]


async def test_it_shows_on_a_terminal_what_it_does_and_how_much_is_done(database: Urls) -> None:
    shown = on_a_terminal(database, "verify")
    names = [*(name for name, _, _ in QUERIES), "audit_chain_is_unbroken", "audit_trail_is_complete"]
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


def on_a_terminal(database: Urls, *words: str) -> str:
    """What a command writes to its standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        env={"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody has the other end any more
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


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
