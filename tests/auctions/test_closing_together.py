"""Several workers close what ends: each auction once, and soon."""

import asyncio
from datetime import timedelta

from app.contexts.auctions.domain.auction import Phase
from app.contexts.auctions.processes import CLOSE_EVERY_S
from app.platform.process.waiting import pause
from tests.auctions.hall import HOUR, Hall
from tests.pace import slow


async def test_four_workers_close_it_once(hall: Hall) -> None:
    auction, ann = await hall.opened(), await hall.market.buyer(1_000)
    await hall.bid(auction, ann, 100)
    others = [await hall.process() for _ in range(3)]
    await hall.pass_time(auction, HOUR)
    await asyncio.gather(*(process.closer().round() for process in (hall.here, *others)))
    over = await hall.stands(auction)
    assert over.phase is Phase.ENDED
    assert len(await hall.market.orders(ann)) == 1
    assert [type_ for type_, _ in await hall.events(auction)].count("auction.ended") == 1


async def test_twenty_that_end_at_once_are_closed_within_two_seconds_by_two_workers(hall: Hall) -> None:
    auctions = [await hall.opened() for _ in range(20)]
    for auction in auctions[::2]:
        await hall.bid(auction, await hall.market.buyer(100), 100)
    for auction in auctions:
        await hall.pass_time(auction, HOUR - timedelta(seconds=4))
    ((began_at,),) = await hall.market.all("SELECT clock_timestamp()")
    stop, ids = asyncio.Event(), [auction.id for auction in auctions]
    workers = [process.closer(15.0, every_s=CLOSE_EVERY_S) for process in (hall.here, await hall.process())]
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    left = "SELECT count(*) FROM auctions.auctions WHERE id = ANY(%s) AND closed_at IS NULL"
    async with asyncio.timeout(300):
        while await hall.market.all(left, ids) != [(0,)]:
            await pause(0.05, stop)
    stop.set()
    await asyncio.gather(*running)
    late = (
        "SELECT max(extract(epoch FROM closed_at - greatest(ends_at, %s)))::float8, count(order_id)"
        " FROM auctions.auctions WHERE id = ANY(%s)"
    )
    ((late_s, orders),) = await hall.market.all(late, began_at, ids)
    assert orders == 10
    assert late_s < slow(2.0)
    ended = "SELECT count(*) FROM auctions.events WHERE auction_id = ANY(%s) AND type = 'ended'"
    assert await hall.market.all(ended, ids) == [(20,)]


async def test_more_than_one_round_takes_are_closed_without_a_pause(hall: Hall) -> None:
    auctions = [await hall.opened() for _ in range(5)]
    for auction in auctions:
        await hall.pass_time(auction, HOUR)
    closer = hall.here.closer(limit=2)
    assert [await closer.round() for _ in range(3)] == [False, False, True]
    for auction in auctions:
        assert (await hall.stands(auction)).phase is Phase.ENDED
