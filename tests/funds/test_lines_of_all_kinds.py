"""What is read of a wallet whose money has moved in every way, also out of what is set aside."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from msgspec import json

from app.contexts.funds.adapters.http.own_views import own_transaction, wallet_shape
from app.contexts.funds.adapters.http.views import balances_shape, transactions_shape
from app.contexts.funds.adapters.postgres.holds import PostgresHoldReader
from app.contexts.funds.adapters.postgres.reconcile import PostgresStandings
from app.contexts.funds.adapters.postgres.wallets import PostgresWalletReader
from app.contexts.funds.application.read_holds import read_holds
from app.contexts.funds.application.read_transactions import read_transactions
from app.contexts.funds.part import NO_PAYMENTS
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.main.local.roles import Urls
from app.platform.people import Person
from app.platform.postgres.reads import SharedReads
from tests.builders import USD
from tests.funds.lines import WAYS, Moved, move
from tests.platform.outbox_fixtures import outbox_pool

OLD_MEMBERS = {
    "transaction_id", "kind", "direction", "amount", "currency", "status", "balance_after", "payment_id",
    "provider_id", "external_reference", "created_at",
}  # fmt: skip
DEBITS = {"TRANSFER_OUT", "HOLD", "CAPTURE_OUT"}
NEWEST_FIRST = WAYS[::-1]


@pytest.fixture
async def reads(module_database: Urls) -> AsyncIterator[SharedReads]:
    async with outbox_pool(module_database.app_url) as pool:
        yield SharedReads(pool)


@pytest.fixture(scope="module")
def moved(module_database: Urls) -> Moved:
    return move(module_database.owner_url)


@pytest.mark.parametrize("payments", [PAYMENT_QUERIES, NO_PAYMENTS], ids=["with payments", "without"])
@pytest.mark.parametrize("currency", [None, USD])
async def test_each_movement_is_a_line_once_in_the_members_that_there_were(
    reads: SharedReads, moved: Moved, payments: Any, currency: Any
) -> None:
    reader, lines, after = PostgresWalletReader(reads, payments), list[dict[str, Any]](), None
    while True:
        page = await read_transactions(reader, moved.user, currency, after, 3)
        lines += json.decode(json.encode(transactions_shape(moved.user, page)))["transactions"]
        if (after := page.next) is None:
            break
    assert [(line["kind"], line["amount"], line["balance_after"]) for line in lines] == [
        (kind, amount, balance) for kind, amount, _, _, balance in NEWEST_FIRST
    ]
    assert [line["direction"] for line in lines] == ["DEBIT" if way[0] in DEBITS else "CREDIT" for way in NEWEST_FIRST]
    for line in lines:
        assert line.keys() == OLD_MEMBERS
        assert (line["payment_id"], line["provider_id"], line["status"]) == (None, None, "COMPLETED")
        assert line["external_reference"] == ("top-up" if line["kind"] == "FUNDING" else None)


async def test_ones_own_lines_say_what_moved_from_or_to_whom_and_what_for(reads: SharedReads, moved: Moved) -> None:
    page = await read_transactions(PostgresWalletReader(reads, PAYMENT_QUERIES), moved.user, None, None, 50)
    people: dict[UUID, Person] = {moved.other: Person(moved.other, "bob")}
    lines = [json.decode(json.encode(own_transaction(line, people))) for line in page.lines]
    of_kind = {line["kind"]: line for line in lines}
    bob = {"user_id": str(moved.other), "username": "bob"}
    assert {kind: line["account"] for kind, line in of_kind.items() if line["account"] != "wallet"} == {
        "CAPTURE_OUT": "held"
    }
    assert {kind for kind, line in of_kind.items() if line["counterparty"] == bob} == {
        "TRANSFER_OUT", "TRANSFER_IN", "CAPTURE_IN",
    }  # fmt: skip
    assert {kind: line["note"] for kind, line in of_kind.items() if line["note"]} == {
        "TRANSFER_OUT": "note 1",
        "TRANSFER_IN": "note 2",
    }
    assert {kind for kind, line in of_kind.items() if line["business_id"] == str(moved.business)} == {
        "HOLD", "RELEASE", "CAPTURE_OUT", "CAPTURE_IN",
    }  # fmt: skip
    assert all(line.keys() == OLD_MEMBERS | {"account", "counterparty", "note", "business_id"} for line in lines)
    strangers = [own_transaction(line, {}).counterparty for line in page.lines]
    assert strangers == [None] * len(WAYS)


async def test_what_is_set_aside_is_told_to_its_owner_and_to_nobody_with_a_key(
    reads: SharedReads, moved: Moved
) -> None:
    balances = await PostgresWalletReader(reads, PAYMENT_QUERIES).balances(moved.user)
    (own,) = json.decode(json.encode(wallet_shape(moved.user, balances)))["balances"]
    (other,) = json.decode(json.encode(balances_shape(moved.user, balances)))["balances"]
    assert (own["current_balance"], own["held"]) == (9_675, 70)
    assert own.keys() - other.keys() == {"held"}


async def test_holds_come_newest_first_and_page_by_page(reads: SharedReads, moved: Moved) -> None:
    reader = PostgresHoldReader(reads)
    first = await read_holds(reader, moved.user, None, 1)
    second = await read_holds(reader, moved.user, first.next, 1)
    assert [(h.status, h.amount, h.captured, h.released) for h in (*first.holds, *second.holds)] == [
        ("OPEN", 70, 0, 0),
        ("CAPTURED", 500, 300, 200),
    ]
    assert second.next is None
    assert (await read_holds(reader, moved.other, None, 10)).holds == []


async def test_an_operator_sees_whether_what_is_set_aside_is_what_entries_and_holds_say(
    module_database: Urls, moved: Moved
) -> None:
    (standing,) = await PostgresStandings(module_database.app_url, PAYMENT_QUERIES).standings(moved.user)
    assert (standing.balance, standing.derived_balance, standing.entries) == (9_675, 9_675, 7)
    assert (standing.held, standing.derived_held, standing.open_holds) == (70, 0, 70)
    assert not standing.agrees  # the open hold came without a movement
