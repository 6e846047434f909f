"""Cashback as operators look at it: on the command line, and in the console."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.contexts.rewards.context import REWARDS
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.eip55 import checksummed
from tests import forks
from tests.consoles import browsing, log_in
from tests.rewards.shop import ADDRESS, CONTEXTS, Shop

TENANT = "shop"


@pytest.fixture(scope="module")
def known_shop(opened_shop: Shop) -> Shop:
    """The shop, whose people are of a tenant that operators know."""
    opened_shop.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())",
        opened_shop.people.tenant, TENANT,
    )  # fmt: skip
    return opened_shop


@pytest.fixture
def lived(known_shop: Shop) -> dict[str, Any]:
    """Somebody with cashback that failed once, and was then taken back in part."""
    shop = known_shop
    shop.no_rules()
    rule, alice = shop.rule(100), shop.user(ADDRESS)
    purchase = shop.bought(alice, 1_000, merchant="a <lamp> shop")
    shop.fail(alice, shop.told(alice, "mint.requested")[0])
    shop.refund(purchase, amount=500)
    return {
        "user": str(alice.id), "entry": purchase["cashback"]["entry_id"], "purchase": purchase["purchase_id"],
        "rule": rule["rule_id"],
    }  # fmt: skip


@pytest.fixture
async def console(module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of rewards."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": f"identity,{CONTEXTS}"}))
    assert REWARDS.pages
    pages = REWARDS.pages(house.container("rewards"), ())
    async with AsyncExitStack() as stack, browsing(*pages) as client:
        for pool in await house.open(stack):
            await pool.wait()
        await log_in(client)
        yield client


async def test_the_console_shows_the_rules_of_a_tenant(console: httpx.AsyncClient, lived: dict[str, Any]) -> None:
    page = await console.get(f"/cashback?tenant={TENANT}")
    assert page.status_code == 200
    assert lived["rule"] in page.text
    assert "nothing earns anything" in (await console.get("/cashback")).text


async def test_it_leads_to_a_users_cashback_and_from_there_to_a_story(
    console: httpx.AsyncClient, lived: dict[str, Any]
) -> None:
    found = await console.get(f"/cashback?tenant={TENANT}&user={lived['user'].upper()}")
    assert (found.status_code, found.headers["location"]) == (303, f"/cashback/{TENANT}/{lived['user']}")
    page = await console.get(f"/cashback/{TENANT}/{lived['user']}")
    assert page.status_code == 200
    assert "a &lt;lamp&gt; shop" in page.text
    assert checksummed(ADDRESS) in page.text
    assert f"/cashback/{TENANT}/{lived['user']}/{lived['entry']}" in page.text
    story = await console.get(f"/cashback/{TENANT}/{lived['user']}/{lived['entry']}")
    told = [": ".join(one) for one in re.findall(r'<span class="source">(\w+)</span> <span>(.*?)</span>', story.text)]
    lines = [one for one in told if one.startswith(("purchase", "ledger"))]
    assert lines == [
        "purchase: purchase of 1000 USD (minor units) recorded",
        "ledger: EARNED 100000",
        "ledger: MINTING 100000",
        "ledger: MINT_FAILED 100000",
        "ledger: MINTING 100000",
        "ledger: REVERSED 50000, 50000 of it owed",
    ]
    assert told.count("outbox: mint.requested written") == 2
    assert "attempt 2" in story.text


async def test_lines_are_shown_page_by_page(console: httpx.AsyncClient, known_shop: Shop) -> None:
    shop = known_shop
    shop.no_rules()
    shop.rule()
    alice = shop.user()
    for _ in range(52):
        shop.bought(alice)
    first = await console.get(f"/cashback/{TENANT}/{alice.id}")
    (older,) = re.findall(r'<a href="([^"]*before=[^"]*)">Older', first.text)
    second = await console.get(older.replace("&amp;", "&"))
    assert [len(re.findall(r'data-label="Written"', page.text)) for page in (first, second)] == [50, 2]
    assert "Older" not in second.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/cashback?tenant=nobody", 404),
        ("/cashback?user=x", 400),
        ("/cashback?a=1", 400),
        (f"/cashback/{TENANT}/{{stranger}}", 404),
        ("/cashback/nobody/{user}", 404),
        (f"/cashback/{TENANT}/x", 400),
        (f"/cashback/{TENANT}/{{user}}?before=x", 400),
        (f"/cashback/{TENANT}/{{user}}/{{stranger}}", 404),
        (f"/cashback/{TENANT}/{{user}}/x", 400),
    ],
)
async def test_what_there_is_not_has_a_page_that_says_so(
    console: httpx.AsyncClient, lived: dict[str, Any], path: str, status: int
) -> None:
    assert (await console.get(path.format(stranger=uuid4(), **lived))).status_code == status


def command(database: Urls, *words: str, code: int = 0) -> str:
    """What `strongbox cashback show` prints."""
    environment = {"DATABASE_URL": database.app_url, "PATH": os.environ["PATH"]}
    ended = forks.run(("app", "cashback", "show", *words, "--tenant", TENANT), Path.cwd(), environment)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def test_the_command_line_tells_it_too(lived: dict[str, Any], module_database: Urls) -> None:
    shown = command(module_database, lived["user"])
    assert re.search(r"^minting +100000$", shown, re.MULTILINE)
    assert re.search(r"^debt +50000$", shown, re.MULTILINE)
    told = json.loads(command(module_database, lived["user"], "--json"))
    assert (told["minting"], told["debt"], told["wallet_address"]) == ("100000", "50000", checksummed(ADDRESS))
    assert [line["kind"] for line in told["lines"]][-1] == "EARNED"
    story = command(module_database, lived["user"], "--entry", lived["entry"])
    assert "REVERSED 50000, 50000 of it owed" in story
    told = json.loads(command(module_database, lived["user"], "--entry", lived["entry"], "--json"))
    assert (told["entry"]["amount"], told["entry"]["reversed"], told["entry"]["attempt"]) == ("100000", "50000", 2)
    assert "has no cashback" in command(module_database, str(uuid4()), code=1)
