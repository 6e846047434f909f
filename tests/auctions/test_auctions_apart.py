"""Auctions in a database of their own: funds, stock and orders are in another."""

import asyncio
from collections.abc import Callable

import psycopg

from app.contexts.auctions.context import AUCTIONS
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.auctions.house import code_of, house_over, try_out
from tests.ordering.fates import Death, Fate


async def test_bids_are_there_and_money_here_and_whatever_dies_is_undone(
    make_fresh_database: Callable[[], Urls], postgres_server: PostgresServer, patient_locks: None
) -> None:
    ours, theirs = make_fresh_database(), make_fresh_database()
    settings = {"DATABASE_URL": theirs.app_url, "AUCTIONS_DATABASE_URL": ours.app_url}

    def held() -> list[tuple[int, int]]:
        with psycopg.connect(theirs.app_url) as session:
            found = session.execute("SELECT current_balance, held FROM wallet_balances ORDER BY held")
            return [(free, aside) for free, aside in found.fetchall()]

    async with house_over(ours, postgres_server, **settings) as house:
        auction, ann, bob = await house.auction(), await house.bidder(1_000), await house.bidder(1_000)
        assert code_of(await try_out(house.here, house.request(auction, ann, 100, 400))) == "leads"
        request = house.request(auction, bob, 125, 900)
        try:
            await house.here.bid(request, Fate(1, behind=True))
        except Death:
            assert held() == [(600, 400), (100, 900)]
        await house.here.recover()
        assert held() == [(1_000, 0), (600, 400)]
        again = house.request(auction, bob, 125, 900, key=request.key)
        assert code_of(await try_out(house.here, again)) == "leads"
        assert held() == [(1_000, 0), (100, 900)]
        assert await house.stands(auction) == (2, 425, bob, 900)
        assert await house.all("SELECT id FROM holds") == [], "money is in the other database alone"
        await house.all("UPDATE v1_idempotency_keys SET finalized_at = now() - interval '2 d' WHERE user_id = %s", bob)
        assert AUCTIONS.serving is not None
        async with AUCTIONS.serving(house.here.container), asyncio.timeout(300):
            while await house.key(again):  # noqa: ASYNC110 -- nobody tells
                await asyncio.sleep(0.05)
