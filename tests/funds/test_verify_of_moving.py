"""What `strongbox verify` says of transfers, holds and operations: what is right holds, what is not is named."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from app.contexts.funds.adapters.postgres.invariants import QUERIES
from app.contexts.funds.adapters.postgres.moving_invariants import QUERIES as MOVING
from app.contexts.funds.adapters.postgres.past_invariants import QUERIES as PAST
from app.contexts.funds.application.closing import Capture, Release
from app.contexts.funds.public import Part
from app.main.local.roles import Urls, make_database
from tests.builders import EUR, money
from tests.conftest import MakeDatabase
from tests.funds.moving import TENANT, bulk_request, open_books, operation, receive_request, send_request

TAMPERINGS = {
    "transactions_have_two_legs": [
        "UPDATE ledger_entries SET account = 'funding' WHERE account = 'held'",
        "UPDATE ledger_entries e SET account = 'payments' FROM transactions t WHERE t.id = e.transaction_id"
        " AND t.user_id = e.user_id AND t.kind = 'FEE' AND e.account = 'transfers'",
        "ALTER TABLE transactions DROP CONSTRAINT transactions_between_users;"
        "UPDATE transactions SET kind = 'CAPTURE_IN' WHERE kind = 'CAPTURE_OUT'",
        "ALTER TABLE transactions DROP CONSTRAINT transactions_kind, DROP CONSTRAINT transactions_between_users;"
        "UPDATE transactions SET kind = 'GIFT' WHERE kind = 'TRANSFER_IN'",
        "ALTER TABLE transactions DROP CONSTRAINT transactions_between_users;"
        "UPDATE transactions SET status = 'PENDING' WHERE kind = 'HOLD'",
    ],
    "held_is_what_holds_hold": [
        "UPDATE wallet_balances SET held = held + 1",
        "ALTER TABLE wallet_balances DROP CONSTRAINT wallet_balances_held; UPDATE wallet_balances SET held = -1",
        "ALTER TABLE wallet_balances ALTER held DROP NOT NULL; UPDATE wallet_balances SET held = NULL",
        "UPDATE holds SET amount = amount + 1 WHERE status = 'OPEN'",
        "DELETE FROM holds WHERE status = 'OPEN'",
        "INSERT INTO holds (user_id, id, tenant_id, context, business_id, amount, currency, status, version,"
        " created_at) SELECT user_id, gen_random_uuid(), tenant_id, context, business_id, 1, 'GBP', 'OPEN', 1, now()"
        " FROM holds",
        "ALTER TABLE wallet_balances DROP CONSTRAINT wallet_balances_held;"
        "UPDATE wallet_balances SET current_balance = 9223372036854775807 WHERE held > 0",
    ],
    "transfers_have_both_legs": [
        "UPDATE ledger_entries SET amount = amount - 1 WHERE account = 'transfers'",
        "UPDATE transactions SET counterparty = gen_random_uuid() WHERE kind = 'TRANSFER_OUT'",
        "UPDATE transactions SET amount = amount + 1 WHERE kind = 'TRANSFER_IN'",
        "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_transaction_fkey;"
        "DELETE FROM transactions WHERE kind = 'TRANSFER_IN'",
        "INSERT INTO transactions (user_id, id, kind, counterparty, amount, currency, status, created_at)"
        " SELECT gen_random_uuid(), id, kind, counterparty, amount, currency, status, created_at FROM transactions"
        " WHERE kind = 'TRANSFER_IN'",
    ],
    "captures_go_to_others": [
        "UPDATE transactions SET amount = amount - 1 WHERE kind = 'CAPTURE_IN'",
        "UPDATE transactions SET fee_id = NULL WHERE kind = 'CAPTURE_OUT'",
        "UPDATE transactions SET fee_id = gen_random_uuid() WHERE kind = 'CAPTURE_OUT'",
        "UPDATE transactions SET amount = amount + 1 WHERE kind = 'FEE'",
        "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_transaction_fkey;"
        "DELETE FROM transactions WHERE kind = 'CAPTURE_OUT'",
        "INSERT INTO transactions (user_id, id, kind, amount, currency, status, created_at)"
        " SELECT user_id, gen_random_uuid(), kind, amount, currency, status, created_at FROM transactions"
        " WHERE kind = 'FEE'",
    ],
    "holds_match_their_transactions": [
        "UPDATE holds SET captured = captured - 1, released = released + 1 WHERE status = 'CAPTURED'",
        "ALTER TABLE holds DROP CONSTRAINT holds_closed; UPDATE holds SET released = 0 WHERE status = 'RELEASED'",
        "ALTER TABLE holds DROP CONSTRAINT holds_status, DROP CONSTRAINT holds_closed;UPDATE holds SET status = 'LOST'",
        "ALTER TABLE holds DROP CONSTRAINT holds_closed; UPDATE holds SET status = 'OPEN', captured = 0, released = 0",
        "ALTER TABLE holds DROP CONSTRAINT holds_closed; UPDATE holds SET closed_at = NULL",
        "UPDATE holds SET id = gen_random_uuid()",
        "ALTER TABLE transactions DROP CONSTRAINT transactions_between_users;"
        "UPDATE transactions SET hold_id = gen_random_uuid() WHERE kind = 'RELEASE'",
    ],
    "operations_happened_once": [
        "UPDATE operations SET answer = NULL WHERE NOT forbidden",
        "UPDATE operations SET answer = '[]' WHERE NOT forbidden",
        "UPDATE operations SET answer = '\"\\u0000\"' WHERE NOT forbidden",
        "UPDATE operations SET answer = ('{\"done\": [\"' || gen_random_uuid() || '\"]}')::json WHERE NOT forbidden",
        "UPDATE operations SET forbidden = true, answer = NULL, fingerprint = NULL, user_id = NULL",
        "ALTER TABLE operations DROP CONSTRAINT operations_forbidden; UPDATE operations SET forbidden = true",
        "DELETE FROM operations WHERE answer::text LIKE '%done%'",
        "ALTER TABLE operations DROP CONSTRAINT operations_bucket;"
        "INSERT INTO operations SELECT bucket + 16, context, business_id, name, user_id, fingerprint, forbidden,"
        " answer, created_at FROM operations WHERE forbidden",
        "UPDATE holds SET business_id = gen_random_uuid()",
        "UPDATE transactions SET business_id = gen_random_uuid() WHERE kind = 'TRANSFER_OUT'",
        "UPDATE operations SET answer = replace(answer::text, '\"asked\"', '\"ask\"')::json WHERE name = 'bulk'",
    ],
    "bulks_are_whole": [
        "UPDATE operations SET answer = replace(answer::text, ': 2}', ': 3}')::json WHERE name = 'bulk'",
        "UPDATE operations SET answer = '{\"refused\": \"NOT_FOUND\"}' WHERE name = 'bulk'",
        "UPDATE transactions SET business_id = gen_random_uuid() WHERE kind = 'TRANSFER_OUT' AND amount = 4",
    ],
    "statements_add_up": [
        "UPDATE ledger_entries SET created_at = created_at - interval '1 day' WHERE wallet_version = 2",
        "UPDATE ledger_entries SET created_at = created_at + interval '1 day' WHERE wallet_version = 1",
        "UPDATE ledger_entries SET amount = amount + 1 WHERE wallet_version = 2",
    ],
}


@pytest.fixture(scope="module")
def written(make_fresh_database: MakeDatabase) -> Urls:
    """A database with everything that moves between users, in each of its states."""
    database = make_fresh_database()
    asyncio.run(write(database))
    return database


async def write(database: Urls) -> None:
    async with open_books(database) as books:
        ada, bob, house = await books.user(1_000), await books.user(500), await books.user()
        await books.send([send_request(ada, bob, 10, note="hi"), send_request(bob, ada, 5)])
        await books.receive([receive_request(ada, 7)])
        await books.desk.transfer(operation(), TENANT, ada, bob, money(11))
        await books.desk.transfer(operation(), TENANT, ada, bob, money(11, EUR))
        await books.desk.credit(operation(), TENANT, bob, money(3, EUR))
        await books.forbid([operation()])
        captured, released, over, parted = [await books.hold(ada, 50 + n) for n in range(4)]
        await books.desk.resize(operation(), over, 20)
        await books.desk.resize(operation(), captured, 90)
        await books.close([
            Capture(captured, (Part(bob, 60), Part(house, 5, is_fee=True))),
            Capture(parted, (Part(bob, 50), Part(house, 2, is_fee=True))),
            Release(released),
        ])  # fmt: skip
        await books.send_bulk([bulk_request(ada, (bob, 3), (bob, 4))])
        await books.send_bulk([bulk_request(ada, (bob, 6), (None, 1), mode="each"), bulk_request(ada, (None, 1))])
        await books.hold(bob, 5, datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
async def owner(written: Urls, postgres_url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """The owner's connection to a copy of it."""
    name = f"copy_{uuid4().hex}"
    make_database(postgres_url, name, urlsplit(written.app_url).path[1:])
    url = f"{written.owner_url.rpartition('/')[0]}/{name}"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield connection


async def broken(owner: psycopg.AsyncConnection) -> dict[str, list[str]]:
    """What each check finds, of those that find anything."""
    found = {}
    for name, _, query in (*QUERIES, *MOVING, *PAST):
        found[name] = [line for (line,) in await (await owner.execute(query.encode())).fetchall()]
    return {name: lines for name, lines in found.items() if lines}


async def test_what_is_right_holds(owner: psycopg.AsyncConnection) -> None:
    kinds = await (await owner.execute("SELECT array_agg(DISTINCT kind ORDER BY kind) FROM transactions")).fetchone()
    assert kinds is not None
    assert [*kinds[0]] == [
        "CAPTURE_IN", "CAPTURE_OUT", "FEE", "FUNDING", "HOLD", "RELEASE", "TRANSFER_IN", "TRANSFER_OUT",
    ]  # fmt: skip
    assert await broken(owner) == {}


@pytest.mark.parametrize(
    ("check", "tampering"), [(check, tampering) for check, each in TAMPERINGS.items() for tampering in each]
)
async def test_tampering_is_named(owner: psycopg.AsyncConnection, check: str, tampering: str) -> None:
    assert (await owner.execute(tampering.encode())).rowcount != 0
    found = await broken(owner)
    assert all(isinstance(line, str) for line in found[check])


def test_every_claim_has_its_tampering() -> None:
    assert {name for name, _, _ in (*MOVING, *PAST)} <= TAMPERINGS.keys()
