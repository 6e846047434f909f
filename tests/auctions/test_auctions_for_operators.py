"""What operators are told of auctions: on the command line, and in the console."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.contexts.auctions.context import AUCTIONS
from app.kernel.principal import Role
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests import forks
from tests.auctions.hall import CONTEXTS
from tests.auctions.room import Room
from tests.consoles import browsing, log_in

NOBODYS = "01980000-0000-7000-8000-00000000dead"

TENANT = "shop"
Run = Callable[[str], CompletedProcess[str]]


@pytest.fixture(scope="module")
def known(room: Room) -> Room:
    """The room, whose people are of a tenant that operators know."""
    room.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())",
        room.people.tenant, TENANT,
    )  # fmt: skip
    return room


@pytest.fixture(scope="module")
def bought(known: Room) -> Any:
    """An auction that somebody led and another bought, as its buyer sees it."""
    seller, ann, bob = known.user(role=Role.SELLER), known.user(), known.user()
    auction = known.opened(seller, buy_now_price=900, reserve_price=500)["auction_id"]
    for who in (ann, bob):
        known.pay_in(who, 1_000)
    assert known.bid(ann, auction, 100, 400).status_code == 201
    assert known.buy(bob, auction).status_code == 201
    return known.get(bob, f"/{auction}").json() | {"ann": str(ann.id), "bob": str(bob.id)}


@pytest.fixture
def run(module_database: Urls) -> Run:
    environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error"}
    return lambda words: forks.run(("app", *words.split()), Path.cwd(), environment)


@pytest.fixture
async def console(module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of auctions."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": f"identity,{CONTEXTS}"}))
    assert AUCTIONS.pages
    pages = AUCTIONS.pages(house.container("auctions"), ())
    async with AsyncExitStack() as stack, browsing(*pages) as client:
        for pool in await house.open(stack):
            await pool.wait()
        await log_in(client)
        yield client


def told(story: Any, source: str) -> list[str]:
    """What the JSON of a story says of a source."""
    return [moment["what"] for moment in story["timeline"] if moment["source"] == source]


def test_the_story_of_an_auction_has_its_bids_its_stock_its_hold_and_its_events(run: Run, bought: Any) -> None:
    done = run(f"auction show {bought['auction_id']} --tenant {TENANT} --json")
    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    auction = story["auction"]
    assert (auction["phase"], auction["closing"], auction["sold_price"]) == ("ended", "buy", 900)
    assert (auction["leader_id"], auction["winner_id"]) == (bought["ann"], bought["bob"])
    assert (auction["reserve_price"], auction["order_id"]) == (500, bought["order_id"])
    assert told(story, "bid") == ["bid 1: 100, and leads; the price is 100"]
    opened, decided, ended = told(story, "auction")
    assert opened.startswith("opened until ")
    assert (decided, ended) == (
        "bought at once: who has it is decided",
        "ended: money and stock are where they belong",
    )
    assert told(story, "stock") == ["reserved 1, since sold"]
    assert told(story, "hold") == ["placed: the money is set aside"]
    events = [what for what in told(story, "outbox") if what.startswith("auction")]
    assert events == ["auction.opened written", "auction.bid written", "auction.ended written"]
    assert story["next"] is None
    assert "auction.ended is not sent yet" in story["notes"]


def test_the_same_for_people(run: Run, bought: Any) -> None:
    done = run(f"auctions show {bought['auction_id']} --tenant {TENANT}")
    assert done.returncode == 0, done.stderr
    for part in (
        f"auction   {bought['auction_id']}  ended",
        f"winner    {bought['bob']}",
        f"order     {bought['order_id']}",
        "reserved 1, since sold",
        "ended     ",
    ):
        assert part in done.stdout, done.stdout
    assert "leader" not in done.stdout  # whoever led has the money back


def test_what_comes_next_is_told(run: Run, known: Room) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, r"it ends on .* UTC, unless a bid moves that"),
        ({"starts_s": 600}, r"it begins on .* UTC"),
        (
            {"starts_s": -7_200, "ends_s": -3_600},
            r"its end has come: recovery closes it \(due for 36\d\d s: does `strongbox recover` run\?\)",
        ),
    ]
    for how, following in cases:
        done = run(f"auctions show {known.auction(**how)} --tenant {TENANT} --json")
        assert re.fullmatch(following, json.loads(done.stdout)["next"]), done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"auctions show {NOBODYS} --tenant {TENANT}", "there is no auction"),
        (f"auctions show {NOBODYS} --tenant nobody", "there is no tenant"),
        ("auctions ls --tenant nobody", "there is no tenant"),
    ],
)
def test_what_is_not_there_is_said_so(run: Run, known: Room, words: str, said: str) -> None:
    done = run(words)
    assert done.returncode == 1
    assert said in done.stderr


def test_auctions_are_listed_by_when_they_end(run: Run, known: Room) -> None:
    ids = [str(known.auction(ends_s=seconds)) for seconds in (10_000, 20_000, 30_000)]
    done = run(f"auctions ls --tenant {TENANT} --status live --json")
    found = [auction["auction_id"] for auction in json.loads(done.stdout)["auctions"]]
    assert [each for each in found if each in ids] == ids
    assert len(json.loads(run(f"auctions ls --tenant {TENANT} --limit 2 --json").stdout)["auctions"]) == 2
    shown = run(f"auctions ls --tenant {TENANT}")
    assert re.search(rf"{ids[0]} +live +100 +USD +0 +a lamp", shown.stdout), shown.stdout


async def test_the_console_tells_it_too(console: httpx.AsyncClient, bought: Any) -> None:
    page = await console.get(f"/auctions/{TENANT}/{bought['auction_id']}/story")
    assert page.status_code == 200, page.text
    found = [": ".join(each) for each in re.findall(r'class="source">(\w+)</span> <span>(.*?)</span>', page.text)]
    for moment in (
        "bid: bid 1: 100, and leads; the price is 100",
        "auction: bought at once: who has it is decided",
        "stock: reserved 1, since sold",
        "outbox: auction.ended written",
    ):
        assert found.count(moment) == 1, (moment, found)
    assert f"/orders/{TENANT}/{bought['order_id']}" in page.text
    assert f"/wallets/{bought['bob']}" in page.text
    assert "Leads" not in page.text


async def test_the_console_lists_them_by_tenant_seller_and_status(known: Room, console: httpx.AsyncClient) -> None:
    seller = known.user(role=Role.SELLER)
    ids = [known.auction(seller) for _ in range(52)]
    first = await console.get(f"/auctions?tenant={TENANT}&seller={seller.id}&status=live")
    assert _ids(first) == ids[:1:-1]
    (older,) = re.findall(r'<a href="(/auctions\?[^"]*before=[^"]*)">Older', first.text)
    second = await console.get(older.replace("&amp;", "&"))
    assert (_ids(second), "Older" in second.text) == (ids[1::-1], False)
    none = await console.get(f"/auctions?tenant={TENANT}&seller={seller.id}&status=ended")
    assert "None." in none.text
    assert _ids(await console.get("/auctions")) == []


async def test_an_auction_is_found_by_its_id(console: httpx.AsyncClient, bought: Any) -> None:
    found = await console.get(f"/search?id={bought['auction_id'].upper()}")
    assert found.status_code == 303
    assert found.headers["location"].startswith(f"/auctions/{TENANT}/{bought['auction_id']}")
    assert (await console.get(f"/search?id={uuid4()}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/auctions?tenant=nobody", 404),
        ("/auctions?seller=x", 400),
        ("/auctions?status=open", 400),
        ("/auctions?before=x", 400),
        (f"/auctions/{TENANT}/x/story", 400),
        (f"/auctions/{TENANT}/{NOBODYS}/story", 404),
        (f"/auctions/nobody/{NOBODYS}/story", 404),
    ],
)
async def test_what_nobody_can_make_sense_of_is_refused(
    known: Room, console: httpx.AsyncClient, path: str, status: int
) -> None:
    assert (await console.get(path)).status_code == status


def _ids(page: httpx.Response) -> list[UUID]:
    assert page.status_code == 200, page.text
    return [UUID(found) for found in re.findall(rf'href="/auctions/{TENANT}/([^"/]+)/story"', page.text)]
