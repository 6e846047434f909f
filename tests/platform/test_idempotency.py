"""Claiming keys and storing answers for any kind of request, in the transaction of what it does."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.kernel.ids import UserId
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answer, KeyRecord
from app.platform.idempotency.statements import IdempotencyKeys, answers_of, records_of, won
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.transactions import Transactions
from tests.platform.outbox_fixtures import outbox_pool

CHECKOUTS = IdempotencyKeys(
    "shop.idempotency_keys",
    made="checkout_id",
    made_in="shop.checkouts",
    shown="p.id, p.note",
    given=(("stock", "bigint"),),
    needs="r.stock > 0",
)
MAKE = Statement("INSERT INTO shop.checkouts SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[])")
ALICE, BOB = UserId(uuid4()), UserId(uuid4())


def note_of(row: Sequence[Any]) -> str:
    return str(row[1])


@pytest.fixture
async def shop(database: Urls) -> AsyncIterator[Transactions]:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE SCHEMA shop")
        owner.execute("CREATE TABLE shop.idempotency_keys (LIKE idempotency_keys INCLUDING ALL)")
        owner.execute("ALTER TABLE shop.idempotency_keys RENAME payment_id TO checkout_id")
        owner.execute("CREATE TABLE shop.checkouts (user_id uuid, id uuid, note text)")
        owner.execute("GRANT USAGE ON SCHEMA shop TO strongbox_app")
        owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA shop TO strongbox_app")
    async with outbox_pool(database.app_url) as pool:
        yield Transactions(pool)


async def test_a_key_is_claimed_once_and_answers_with_what_was_stored(shop: Transactions) -> None:
    first, second = uuid4(), uuid4()
    async with shop.open() as transaction:
        (claims,), _ = await transaction.begin(
            CHECKOUTS.claim([(ALICE, "k", b"f", first, 1), (BOB, "k", b"g", second, 0), (BOB, "l", b"h", second, 1)])
        )
        assert won(claims) == {(ALICE, "k"), (BOB, "l")}  # nothing in stock leaves no trace
        await transaction.commit([(MAKE, ([ALICE, BOB], [first, second], ["one", "two"]))])

    async with shop.open() as transaction:
        (claims,), _ = await transaction.begin(CHECKOUTS.claim([(ALICE, "k", b"f", uuid4(), 1)]))
        assert won(claims) == frozenset()
        (known,) = await transaction.read(CHECKOUTS.records([(ALICE, "k"), (BOB, "k")]))
        assert records_of(known, note_of) == {(ALICE, "k"): KeyRecord(b"f", "one", None)}

    said, refused = Answer(201, b'{"a": 1}'), Answer(409, b"{}")
    async with shop.open() as transaction:
        (locked,), _ = await transaction.begin(CHECKOUTS.lock([(ALICE, "k"), (BOB, "l")]))
        assert answers_of(locked) == {}
        await transaction.commit([CHECKOUTS.store({(ALICE, "k"): said, (BOB, "l"): refused}, {(ALICE, "k")})])

    async with shop.open() as transaction:
        (found, locked), _ = await transaction.begin(
            CHECKOUTS.find((BOB, "l")), CHECKOUTS.lock([(ALICE, "k"), (BOB, "l")])
        )
        assert records_of(found, note_of) == {(BOB, "l"): KeyRecord(b"h", None, refused)}
        assert answers_of(locked) == {first: said}


async def test_a_transaction_that_is_left_leaves_its_keys_free(shop: Transactions) -> None:
    for _ in range(2):
        async with shop.open() as transaction:
            (claims,), _ = await transaction.begin(CHECKOUTS.claim([(ALICE, "k", b"f", UUID(int=1), 1)]))
            assert won(claims) == {(ALICE, "k")}


def test_keys_leave_when_they_have_been_final_for_their_time(shop: Transactions, database: Urls) -> None:
    with psycopg.connect(database.app_url) as connection:
        for hours, final in ((3, True), (1, True), (3, False)):
            at = f"now() - interval '{hours} h'"
            answer = f"200, 'x', {at}" if final else "NULL, NULL, NULL"
            connection.execute(
                "INSERT INTO shop.idempotency_keys (user_id, key, fingerprint, created_at, response_status,"
                f" response_body, finalized_at) VALUES (%s, %s, 'f', {at}, {answer})".encode(),
                (uuid4(), f"{hours} {final}"),
            )
        assert connection.execute(CHECKOUTS.purge.replace("%b", "%s").encode(), (2.0, 10)).rowcount == 1
        left = connection.execute("SELECT key FROM shop.idempotency_keys ORDER BY key").fetchall()
    assert left == [("1 True",), ("3 False",)]
