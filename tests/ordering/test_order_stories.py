"""An order's story: on the command line, with what the stock and the hold have of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests import forks
from tests.fakes.people import Somebody
from tests.ordering.shop import CONTEXTS, TENANT, Shop

Run = Callable[[str], CompletedProcess[str]]


@pytest.fixture
def run(module_database: Urls) -> Run:
    environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error"}
    return lambda words: forks.run(("app", *words.split()), Path.cwd(), environment)


def told(story: Any, source: str) -> list[str]:
    """What the JSON of a story says of a source."""
    return [moment["what"] for moment in story["timeline"] if moment["source"] == source]


def test_the_story_of_an_order_has_its_checkout_its_stock_its_hold_and_its_events(run: Run, bought: Any) -> None:
    done = run(f"orders show {bought['order_id']} --tenant {TENANT} --json")
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert {name: story["order"][name] for name in bought} == bought
    assert story["order"]["tenant_id"]
    assert told(story, "checkout") == ["began: a cart of 1 line", "ended: paid"]
    assert told(story, "stock") == ["reserved 2, since sold"]
    assert told(story, "hold") == ["placed: the money is set aside"]
    assert [what.split()[0] for what in told(story, "ledger")] == ["HOLD", "HOLD"]
    assert told(story, "order") == ["placed", "paid: the money is set aside"]
    assert told(story, "outbox") == ["hold.placed written", "order.paid written"]
    assert "the answer is stored under its key: 201" in told(story, "key")
    assert re.fullmatch(r"its seller ships it, or either of them cancels it; recovery does on .* UTC", story["next"])
    assert "order.paid is not sent yet" in story["notes"]
    assert "a-secret-of-theirs" not in done.stdout


def test_the_same_for_people(run: Run, bought: Any) -> None:
    done = run(f"order show {bought['order_id']} --tenant {TENANT}")
    assert done.returncode == 0, done.stderr
    for part in (
        f"order      {bought['order_id']}  paid",
        f"hold       {bought['payment_ref']}",
        "a <lamp>",
        "reserved 2, since sold",
        "next       its seller ships it",
        "note       order.paid is not sent yet",
    ):
        assert part in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("{id} --tenant nobody", "there is no tenant 'nobody'"),
        ("{id}", "there is no order {id}"),  # of the default tenant
        (
            "0190c7a0-0000-7000-8000-000000000001 --tenant shop",
            "there is no order 0190c7a0-0000-7000-8000-000000000001",
        ),
    ],
)
def test_an_order_that_there_is_not_is_said(run: Run, bought: Any, words: str, why: str) -> None:
    done = run(f"orders show {words.format(id=bought['order_id'])}")
    assert (done.returncode, done.stdout) == (1, "")
    assert why.format(id=bought["order_id"]) in done.stderr


def test_what_is_no_id_is_said(run: Run) -> None:
    done = run("orders show x")
    assert (done.returncode, "'x' is not a valid UUID" in done.stderr) == (2, True)


def test_where_nobody_knows_tenants_that_is_said(module_database: Urls, bought: Any) -> None:
    environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error", "CONTEXTS": CONTEXTS}
    done = forks.run(("app", "orders", "show", bought["order_id"]), Path.cwd(), environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody here knows which tenants there are: CONTEXTS lacks identity" in done.stderr


def test_a_database_that_is_away_is_said(bought: Any) -> None:
    environment = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "PATH": "", "LOG_LEVEL": "error"}
    done = forks.run(("app", "orders", "show", bought["order_id"]), Path.cwd(), environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the database cannot be reached" in done.stderr


async def test_what_another_context_or_the_trail_cannot_tell_is_left_out_with_a_note(
    module_database: Urls, shop: Shop, bought: Any
) -> None:
    away = "postgresql://nobody@127.0.0.1:1/x"
    elsewhere = {"CATALOG_DATABASE_URL": away, "AUDIT_DATABASE_URL": away}
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": CONTEXTS, **elsewhere}))
    story = await house.container("ordering").tell_order()(shop.people.tenant, UUID(bought["order_id"]))
    assert [note.partition(":")[0] for note in story.notes] == [
        "the stock is not shown",
        "the audit trail is not shown",
        "order.paid is not sent yet",
    ]
    assert {moment.source for moment in story.moments} == {"checkout", "order", "key", "ledger", "hold", "outbox"}


CLOSING = "UPDATE ordering.orders SET {} WHERE id = %s"
STAGES: dict[str, tuple[str, list[str], str | None]] = {
    "about to ship": (
        "closing = 'ship', closing_by = seller_id, closing_at = now() - interval '1 h'",
        ["placed", "paid: the money is set aside", "to ship it was begun"],
        "to ship it goes on; recovery ends it (due for 3585 s: does `strongbox recover` run?)",
    ),
    "shipped": (
        "status = 'shipped', closing_at = now(), shipped_at = '2026-02-01 12:00:00Z', tracking = '1Z'",
        ["placed", "paid: the money is set aside", "to ship it was begun", "shipped: the money is its seller's"],
        "its buyer completes it; recovery does on 2026-02-15 12:00 UTC",
    ),
    "completed": (
        "status = 'completed', closing_at = now(), shipped_at = now(), updated_at = now() + interval '1 s'",
        [
            "placed", "paid: the money is set aside", "to ship it was begun", "shipped: the money is its seller's",
            "completed",
        ],
        None,
    ),
    "cancelled": (
        "status = 'cancelled', closing_at = now(), reason = 'too late', updated_at = now() + interval '1 s'",
        ["placed", "paid: the money is set aside", "to cancel it was begun", "cancelled: money and stock are back"],
        None,
    ),
}  # fmt: skip


@pytest.fixture
def order_with_checkout(known_shop: Shop) -> UUID:
    """An order of an hour ago, with its checkout, of which neither the stock nor funds know anything."""
    shop = known_shop
    buyer = shop.user()
    order_id, checkout_id = shop.order(buyer, shop.user(), minutes_ago=60, checkout_id=(known := uuid4())), known
    _checkout(shop, buyer, checkout_id)
    return order_id


def _checkout(shop: Shop, buyer: Somebody, checkout_id: UUID, status: str = "paid") -> None:
    shop.query(
        "INSERT INTO ordering.checkouts (bucket, tenant_id, user_id, id, cart_id, key, expected_total, currency,"
        " lines, status, created_at, updated_at) VALUES (%s, %s, %s, %s, gen_random_uuid(), 'k', 2500,"
        " 'USD', '[]', %s, now() - interval '1 h', now())",
        buyer.id.int & 15, buyer.principal.tenant_id, buyer.id, checkout_id, status,
    )  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_done_with_it_is_told_and_what_comes_next(
    shop: Shop, run: Run, order_with_checkout: UUID, stage: str
) -> None:
    change, steps, following = STAGES[stage]
    shop.query(CLOSING.format(change), order_with_checkout)
    story = json.loads(run(f"orders show {order_with_checkout} --tenant {TENANT} --json").stdout)
    assert sorted(told(story, "order")) == sorted(steps)
    # What is due is so by the second: an hour less a quarter of a minute, and what it takes to ask.
    assert re.sub(r"for 3\d{3} s", "for 3585 s", story["next"] or "") == (following or "")


def test_a_checkout_that_hangs_says_who_ends_it(known_shop: Shop, run: Run) -> None:
    shop = known_shop
    buyer, checkout_id = shop.user(), uuid4()
    order_id = shop.order(buyer, shop.user(), checkout_id=checkout_id, hold_id=None, status="pending")
    _checkout(shop, buyer, checkout_id, "pending")
    story = json.loads(run(f"orders show {order_id} --tenant {TENANT} --json").stdout)
    assert told(story, "checkout") == ["began: a cart of 0 lines"]
    assert re.fullmatch(
        r"its checkout goes on; recovery ends it \(due for \d+ s: does `strongbox recover` run\?\)", story["next"]
    )
    assert story["notes"] == []
