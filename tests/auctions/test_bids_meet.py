"""Bids that meet: at two processes at once, behind a lock that somebody keeps past the end, under two clocks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.auctions.application.board import TakeSteps
from app.contexts.auctions.application.books import Changes
from app.contexts.auctions.application.recover import Terms
from app.kernel.principal import TenantId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.postgres import pool, sessions
from app.platform.process.uuid7 import uuid7
from tests.auctions.house import AuctionHouse, Process, code_of, house_over, try_out

WAITS_S = 0.3
"""Long enough for whatever waits for nobody."""


class Pausing:
    """Books that stop before the COMMIT of each work in which a bid counts."""

    def __init__(self, books: object) -> None:
        self._books = books
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator[object]:
        async with self._books.begin(tenant_id) as work:  # type: ignore[attr-defined]
            commit = work.commit

            async def pausing(changes: Changes) -> None:
                if changes.bids:
                    self.reached.set()
                    await self.go_on.wait()
                await commit(changes)

            work.commit = pausing
            yield work


def paused(process: Process) -> Pausing:
    """The process decides over these books from now on."""
    books = Pausing(process.container.books())
    for lane in (process.container.steps()._lane, process.container.steps()._aside):
        lane._run = TakeSteps(books, process.container.answers(), uuid7)  # type: ignore[arg-type]
    return books


async def test_what_another_process_is_deciding_is_waited_for(house: AuctionHouse) -> None:
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    there = await house.process()
    books = paused(there)
    first = asyncio.create_task(try_out(there, house.request(auction, ann, 100, 400)))
    await books.reached.wait()
    second = asyncio.create_task(try_out(house.here, house.request(auction, bob, 100, 300)))
    await asyncio.sleep(WAITS_S)
    assert not second.done(), "whether the bid is high enough is looked at while another is being placed"
    books.go_on.set()
    assert [code_of(await each) for each in (first, second)] == ["leads", "BID_TOO_LOW"]
    assert await house.stands(auction) == (1, 100, ann, 400)


async def test_what_is_not_committed_is_told_to_nobody(house: AuctionHouse) -> None:
    auction, ann = await house.auction(), await house.bidder(1_000)
    there = await house.process()
    books = paused(there)
    bidding = asyncio.create_task(try_out(there, house.request(auction, ann, 100, 400)))
    await books.reached.wait()
    async with await psycopg.AsyncConnection.connect(house.urls.owner_url) as other:
        await other.execute("LOCK TABLE auctions.bids IN SHARE MODE")
        books.go_on.set()
        waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        async with asyncio.timeout(60):
            while not await house.all(waiting):  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.01)
        told = await house.all("SELECT type FROM auctions.events WHERE auction_id = %s AND event_id > 1", auction)
        assert told == [], "of a bid that is not committed nobody is told"
        assert (await house.wallet(ann), (await house.stands(auction))[0]) == ((600, 400), 0)
        await other.rollback()
    assert code_of(await bidding) == "leads"
    assert await house.events(auction) == [("auction.bid", 2)]


async def test_the_lead_is_kept_until_another_is_committed(
    house: AuctionHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pool._SESSION, "lock_timeout", 500)
    impatient = await house.process()
    auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
    await house.here.bid(house.request(auction, ann, 100, 400))
    there = await house.process()
    books = paused(there)
    bidding = asyncio.create_task(try_out(there, house.request(auction, bob, 125, 900)))
    await books.reached.wait()
    due = await impatient.container.due().take(house.tenant, Terms(60.0, 0.0, 0.0, 64))
    give_back = impatient.clean_up().give_back
    await asyncio.gather(*map(give_back, due.returns), return_exceptions=True)  # the auction is locked meanwhile
    assert await house.wallet(ann) == (600, 400), "whoever leads has what that takes set aside"
    books.go_on.set()
    assert code_of(await bidding) == "leads"
    assert (await house.wallet(ann), await house.wallet(bob)) == ((1_000, 0), (100, 900))


async def test_a_bid_that_waits_for_its_turn_past_the_end_is_too_late(house: AuctionHouse) -> None:
    ann, auction = await house.bidder(1_000), await house.auction(ends_s=0.25)
    async with await psycopg.AsyncConnection.connect(house.urls.owner_url) as other:
        await other.execute("SELECT set_config('app.current_tenant', %s, true)", [str(house.tenant)])
        await other.execute("SELECT FROM auctions.auctions WHERE id = %s FOR UPDATE", [auction])
        bidding = asyncio.create_task(try_out(house.here, house.request(auction, ann, 100)))
        await asyncio.sleep(WAITS_S)
        await other.rollback()
    assert code_of(await bidding) == "AUCTION_CLOSED"


@pytest.fixture(scope="module")
async def ahead(
    make_fresh_database: Callable[[], Urls], postgres_server: PostgresServer, patient_locks: None
) -> AsyncIterator[AuctionHouse]:
    """Over a database whose clock is an hour ahead of the hosts'."""
    urls = make_fresh_database()
    name = str(conninfo_to_dict(urls.app_url)["dbname"])
    with psycopg.connect(postgres_server.url(name), autocommit=True) as superuser:
        superuser.execute("CREATE SCHEMA ahead; GRANT USAGE ON SCHEMA ahead TO PUBLIC")
        superuser.execute(
            "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql"
            " AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 h' $$"
        )
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sessions._ALWAYS, "search_path", "public, ahead, pg_catalog")
        async with house_over(urls, postgres_server) as opened:
            yield opened


async def test_an_auction_goes_by_the_clock_of_the_database_and_no_hosts(ahead: AuctionHouse) -> None:
    over, on = await ahead.auction(ends_s=1_800), await ahead.auction(starts_s=1_800, ends_s=3_660)
    ann = await ahead.bidder(1_000)
    assert code_of(await try_out(ahead.here, ahead.request(over, ann, 100))) == "AUCTION_CLOSED"
    assert code_of(await try_out(ahead.here, ahead.request(on, ann, 100))) == "leads"
    ((moved, ahead_s),) = await ahead.all(
        "SELECT extract(epoch FROM b.ends_at - b.created_at)::int, extract(epoch FROM b.created_at - now())::int"
        " FROM auctions.bids b WHERE b.auction_id = %s",
        on,
    )
    assert moved == 120
    assert 3_500 < ahead_s < 3_700
