"""Whatever contradicts itself between auctions that are closed, their orders and their pieces is found."""

from collections.abc import Awaitable, Callable

import pytest

from app.contexts.auctions.domain.auction import Auction
from tests.auctions.hall import HOUR, Hall
from tests.auctions.verified import offenders
from tests.ordering.fates import Death, Fate

REPLAY, ORDERS, STOCK, WAITS = (
    "bids_make_their_auctions", "auctions_and_orders_agree", "auctions_and_stock_agree", "no_auction_waits",
)  # fmt: skip
Make = Callable[[Hall], Awaitable[Auction]]


async def opened(hall: Hall) -> Auction:
    return await hall.opened()


async def sold(hall: Hall) -> Auction:
    auction = await hall.opened()
    await hall.bid(auction, await hall.market.buyer(1_000), 100)
    await hall.pass_time(auction, HOUR)
    await hall.here.closer().round()
    return auction


async def bought(hall: Hall) -> Auction:
    auction = await hall.opened(buy_now=300)
    await hall.buy(auction, await hall.market.buyer(1_000))
    return auction


async def called_off(hall: Hall) -> Auction:
    auction = await hall.opened()
    await hall.here.close().cancel(hall.cancelling(auction))
    return auction


_OF_ORDER = "(SELECT order_id FROM auctions.auctions WHERE id = %(id)s)"
TAMPERINGS: list[tuple[Make, str, set[str]]] = [
    (sold, "UPDATE auctions.auctions SET sold_price = sold_price + 1 WHERE id = %(id)s", {REPLAY, ORDERS}),
    (sold, "UPDATE auctions.auctions SET winner_id = seller_id WHERE id = %(id)s", {REPLAY, ORDERS}),
    (sold, "UPDATE auctions.auctions SET order_id = id WHERE id = %(id)s", {ORDERS}),
    (
        sold,
        "UPDATE auctions.auctions SET winner_id = NULL, winner_hold_id = NULL, sold_price = NULL, order_id = NULL"
        " WHERE id = %(id)s",
        {REPLAY, ORDERS, STOCK},
    ),
    (sold, f"UPDATE ordering.orders SET seller_id = user_id WHERE id = {_OF_ORDER}", {ORDERS}),
    (bought, "UPDATE auctions.auctions SET buy_now_price = buy_now_price + 1 WHERE id = %(id)s", {REPLAY}),
    (called_off, "UPDATE catalog.reservation_lines SET status = 'TAKEN' WHERE business_id = %(id)s", {STOCK}),
    (called_off, "UPDATE auctions.auctions SET status = 'ended', closing = 'end' WHERE id = %(id)s", set()),
    (opened, "UPDATE catalog.reservation_lines SET status = 'RETURNED' WHERE business_id = %(id)s", {STOCK}),
    (
        opened,
        "UPDATE auctions.auctions SET starts_at = now() - interval '2 h', planned_end = now() - interval '1 h',"
        " ends_at = now() - interval '1 h' WHERE id = %(id)s",
        {WAITS},
    ),
]


@pytest.mark.parametrize(("make", "tampering", "names"), TAMPERINGS)
async def test_a_contradiction_is_found(hall: Hall, make: Make, tampering: str, names: set[str]) -> None:
    auction = await make(hall)
    await hall.market.owner.execute(tampering.encode(), {"id": auction.id})
    found = {name for name, _ in await offenders(hall.market)}
    assert found >= names if "ordering.orders" in tampering else found == names, found
    await undo(hall, auction)


async def undo(hall: Hall, auction: Auction) -> None:
    """All of it is gone: what comes next begins anew."""
    tenant = hall.market.tenant
    await hall.market.all("DELETE FROM ordering.orders WHERE tenant_id = %s", tenant)
    await hall.market.all("DELETE FROM ordering.checkouts WHERE tenant_id = %s", tenant)
    for table in ("bids", "bidders", "events"):
        await hall.market.all(f"DELETE FROM auctions.{table} WHERE auction_id = %s", auction.id)
    await hall.market.all("DELETE FROM auctions.auctions WHERE id = %s", auction.id)
    await hall.market.all("DELETE FROM catalog.reservation_lines WHERE business_id = %s", auction.id)
    await hall.market.all("UPDATE holds SET status = 'RELEASED', released = amount, closed_at = now() WHERE"
                          " status = 'OPEN' AND context = 'auctions'")  # fmt: skip


async def test_what_is_half_done_is_held_against_nobody_unless_it_is_for_long(hall: Hall) -> None:
    seller = hall.seller()
    with pytest.raises(Death):
        await hall.opened(seller, fate=Fate(1, behind=True))
    auction = await hall.opened()
    with pytest.raises(Death):
        await hall.here.close(Fate(0, behind=True)).cancel(hall.cancelling(auction))
    assert await offenders(hall.market) == []
    await hall.market.all("UPDATE auctions.openings SET created_at = now() - interval '26 s'")
    await hall.market.all("UPDATE auctions.auctions SET closing_at = now() - interval '26 s' WHERE status = 'closing'")
    assert [name for name, _ in await offenders(hall.market)] == [WAITS, WAITS]
    await hall.here.recover()
    assert await offenders(hall.market) == []
