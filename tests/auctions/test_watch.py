"""Watching auctions, over what is committed in a real database."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.auctions.adapters.postgres.live_events import PostgresLiveEvents
from app.contexts.auctions.application.live_events import Happened, Place
from app.contexts.auctions.application.watch import KEPT, PAGE, TooSlow, Watch
from app.contexts.auctions.domain.auction import Phase
from app.contexts.auctions.domain.ids import AuctionId
from app.contexts.auctions.domain.refusals import AuctionNotFound
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.tenancy import TenantRows
from tests.auctions.hammer import Hammer
from tests.auctions.watching_room import ANOTHER, TENANT, Counted, Room, listen, told
from tests.pace import slow


@pytest.fixture
async def room(module_database: Urls, postgres_server: PostgresServer, patient_locks: None) -> AsyncIterator[Room]:
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    pool = make_planned_pool(module_database.app_url, "watch", 2)
    await pool.open(wait=True)
    ages_s: list[float] = []
    events = Counted(PostgresLiveEvents(TenantRows(pool), pool))
    hammer = Hammer(postgres_server.url(name), TENANT)
    yield Room(Watch(events, told, ages_s.append), events, hammer, ages_s)
    await pool.close()


async def test_it_begins_with_how_the_auction_stands_and_goes_on_with_what_happens(room: Room) -> None:
    auction = await room.hammer.bid(await room.hammer.opened())
    watching = await room.begin(auction.id)
    async with room.looking():
        listening = asyncio.create_task(listen(watching))
        auction = await room.hammer.bid(auction, 2)
        await room.hammer.closed(auction)
        assert await listening == ["state", "3 bid", "4 bid", "5 ended"]
    assert len(room.ages_s) == 3
    assert all(0 <= age_s < slow(2) for age_s in room.ages_s)


async def test_a_bid_that_moves_the_end_is_two_events(room: Room) -> None:
    opened = await room.hammer.opened()
    auction = await room.hammer.opened(extend=opened.ends_at - opened.starts_at)
    watching = await room.begin(auction.id)
    async with room.looking():
        listening = asyncio.create_task(listen(watching, 3))
        await room.hammer.bid(auction)
        assert await listening == ["state", "2 bid", "3 extended"]


async def test_from_an_earlier_place_all_comes_that_came_behind_it_and_then_what_happens(room: Room) -> None:
    auction = await room.hammer.bid(await room.hammer.opened(), 3 * PAGE)
    for seen in (0, 1, PAGE, auction.last_event_id - 1, auction.last_event_id):
        watching = await room.begin(auction.id, seen)
        async with room.looking():
            last = auction.last_event_id + 1
            listening = asyncio.create_task(listen(watching, last - max(seen, 1)))
            auction = await room.hammer.bid(auction)
            assert await listening == [f"{n} bid" for n in range(max(seen, 1) + 1, last + 1)]


@pytest.mark.parametrize(("phase", "word"), [(Phase.ENDED, "ended"), (Phase.CANCELLED, "cancelled")])
async def test_behind_the_last_event_there_is_nothing_and_before_it_there_is_that(
    room: Room, phase: Phase, word: str
) -> None:
    auction = await room.hammer.closed(await room.hammer.bid(await room.hammer.opened()), phase)
    assert await room.may_begin(auction.id, 3) is None
    assert await listen(await room.begin(auction.id)) == ["state"]
    assert await listen(await room.begin(auction.id, 4)) == ["state"]
    assert await listen(await room.begin(auction.id, 2)) == [f"3 {word}"]
    assert await listen(await room.begin(auction.id, 0)) == ["2 bid", f"3 {word}"]


async def test_nobody_is_told_of_another_tenants_auction(room: Room) -> None:
    auction = await room.hammer.opened()
    here = Place(auction.id, 0)
    assert await room.events.after(ANOTHER, [here], PAGE) == {}
    assert [each.word for each in (await room.events.after(TENANT, [here], PAGE))[here]] == ["opened"]
    for tenant, auction_id in ((ANOTHER, auction.id), (TENANT, AuctionId(uuid4()))):
        with pytest.raises(AuctionNotFound):
            await room.watch.standing(tenant, auction_id)


async def test_one_look_serves_all_who_watch_and_with_nobody_there_is_none(room: Room) -> None:
    auctions = [await room.hammer.opened() for _ in range(3)]
    everybody = [await room.begin(auction.id) for auction in auctions for _ in range(10)]
    async with room.looking():
        listening = [asyncio.create_task(listen(watching)) for watching in everybody]
        auctions = [await room.hammer.bid(auction) for auction in auctions]
        for auction in auctions:
            await room.hammer.closed(auction)
        assert await asyncio.gather(*listening) == [["state", "2 bid", "3 ended"]] * 30
        assert {len(places) for places in room.events.looks} <= {1, 2, 3}
        assert any(len(places) == 3 for places in room.events.looks)
        assert room.watch.behind_s == 0.0
        looks = len(room.events.looks)
        await room.hammer.bid(await room.hammer.opened())
        await asyncio.sleep(0.2)  # in which it would have looked four times
        assert len(room.events.looks) == looks


async def test_who_is_behind_what_is_kept_begins_anew_and_misses_nothing(room: Room) -> None:
    auction = await room.hammer.opened()
    last = 1 + 2 * KEPT + PAGE
    slow_one, fast_one = await room.begin(auction.id), await room.begin(auction.id)
    with slow_one.woken(lambda: None):
        assert await slow_one.next() == b""
        async with room.looking():
            listening = asyncio.create_task(listen(fast_one, last))
            while auction.last_event_id < last:
                auction = await room.hammer.bid(auction, PAGE)
            everything = await listening
        with pytest.raises(TooSlow):
            await slow_one.next()
    assert everything == ["state", *(f"{n} bid" for n in range(2, last + 1))]
    again = await room.begin(auction.id, 1)
    async with room.looking():
        assert await listen(again, last - 1) == everything[1:]


async def test_who_comes_while_a_look_for_others_is_under_way_is_told_nothing_twice(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = await room.hammer.opened()
    first = await room.begin(auction.id)
    real, has_read, go_on = room.events.events.after, asyncio.Event(), asyncio.Event()

    async def halts(*asked: Any) -> Mapping[Place, Sequence[Happened]]:
        found = await real(*asked)
        if found and not has_read.is_set():
            has_read.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(room.events.events, "after", halts)
    async with room.looking():
        leaving = asyncio.create_task(listen(first))
        auction = await room.hammer.bid(auction)
        await has_read.wait()
        leaving.cancel()
        await asyncio.wait({leaving})
        second = await room.begin(auction.id)
        listening = asyncio.create_task(listen(second))
        await asyncio.sleep(0)  # it has begun, and what it begins with has the event that the look has found
        go_on.set()
        await room.hammer.closed(await room.hammer.bid(auction))
        assert await listening == ["state", "3 bid", "4 ended"]


async def test_those_who_come_at_once_are_read_for_at_once(room: Room) -> None:
    auction = await room.hammer.bid(await room.hammer.opened(), 40)
    everybody = await asyncio.gather(*(room.begin(auction.id, told % 40) for told in range(500)))
    with ExitStack() as stack:
        for watching in everybody:
            stack.enter_context(watching.woken(lambda: None))
        pages = await asyncio.gather(*(watching.next() for watching in everybody))
    assert len(room.events.looks) == 1
    assert len(room.events.looks[0]) == 40
    assert pages[7].startswith(b"8 bid\n9 bid\n")


async def test_of_what_is_kept_there_is_an_end(room: Room) -> None:
    auction = await room.hammer.opened()
    watching = await room.begin(auction.id)
    with room.watch.watched((TENANT, auction.id), auction.last_event_id, lambda: None) as channel:
        async with room.looking():
            listening = asyncio.create_task(listen(watching))
            for _ in range(3 * KEPT // PAGE):
                auction = await room.hammer.bid(auction, PAGE)
            await room.hammer.closed(auction)
            assert len(await listening) == 3 * KEPT + 2
            assert KEPT <= len(channel.kept) < 2 * KEPT
            assert channel.last == 3 * KEPT + 2


async def test_while_the_database_is_away_watchers_wait_and_miss_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    auction = await room.hammer.opened()
    watching = await room.begin(auction.id)
    real = room.events.events.after

    async def away(*_: Any) -> Mapping[Place, Sequence[Happened]]:
        raise OSError("a bug")

    async with room.looking():
        listening = asyncio.create_task(listen(watching))
        monkeypatch.setattr(room.events.events, "after", away)
        auction = await room.hammer.bid(auction)
        async with asyncio.timeout(60):
            while room.watch.behind_s <= 0.2:  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.05)
        assert not listening.done()
        monkeypatch.setattr(room.events.events, "after", real)
        await room.hammer.closed(auction)
        assert await listening == ["state", "2 bid", "3 ended"]


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_comes_and_goes_is_told_each_event_once_and_in_order(room: Room, seed: int) -> None:
    chance = random.Random(seed)
    auction = await room.hammer.opened()

    async def come_and_go() -> list[str]:
        """Watch for a while, leave, and come back behind what was seen last, until it is over."""
        seen: list[str] = []
        told = 0
        while (watching := await room.may_begin(auction.id, told)) is not None:
            seen += await listen(watching, chance.randint(1, 40))
            told = int(seen[-1].split()[0])
            await asyncio.sleep(chance.choice((0, 0, 0.01, 0.1)))
        return seen

    async with room.looking():
        coming = [asyncio.create_task(come_and_go()) for _ in range(20)]
        stands = auction
        while stands.bid_count < 300:
            stands = await room.hammer.bid(stands, chance.randint(1, 30))
        await room.hammer.closed(stands)
        told_to = await asyncio.gather(*coming)
    last = stands.last_event_id + 1
    everything = [*(f"{n} bid" for n in range(2, last)), f"{last} ended"]
    assert all(seen == everything for seen in told_to)
