"""Carts that are changed at once share a transaction, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest

from app.contexts.catalog.public import Offer, ProductId
from app.contexts.ordering.application.change_carts import CartChange, ChangeCarts
from app.contexts.ordering.domain.cart import Cart
from app.contexts.ordering.domain.ids import ItemId
from app.contexts.ordering.domain.refusals import CurrencyMixed, ItemNotFound, OwnProduct
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.builders import EUR
from tests.ordering.market import Market, market_over
from tests.ordering.orders import item_id, offer

# The first COMMIT behind a new line ends its session; a sequence counts what is undone as well.
_DEADLY = """
    CREATE SEQUENCE public.lines_put;
    CREATE FUNCTION public.die_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF nextval('public.lines_put') = 1 THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER die_once AFTER INSERT ON ordering.cart_items DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.die_once();
"""


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server) as opened:
        yield opened


def put(market: Market, owner: UserId, what: Offer, qty: int = 1, new: ItemId | None = None) -> CartChange:
    line = new or item_id()
    return CartChange(market.tenant, owner, lambda cart: cart.put(line, what, qty))


def remove(market: Market, owner: UserId, line: ItemId) -> CartChange:
    return CartChange(market.tenant, owner, lambda cart: cart.remove(line))


async def lines_of(market: Market, owner: UserId) -> Sequence[tuple[ProductId, int]]:
    cart = await market.here.container.carts().open(market.tenant, owner)
    return [(line.product_id, line.qty) for line in cart.lines]


async def test_each_is_changed_as_its_owner_wants_it_and_who_is_refused_takes_nobody_else_down(market: Market) -> None:
    alice, bob, carol, lamp, chair = UserId(uuid4()), UserId(uuid4()), UserId(uuid4()), offer(), offer()
    change, first = ChangeCarts(market.here.container.carts_books()), item_id()
    own = Offer(ProductId(uuid4()), carol, "hers", 100, lamp.currency, 1)
    results = await change([
        put(market, alice, lamp, 2, first), put(market, bob, chair), put(market, alice, lamp, 3),
        put(market, alice, offer(currency=EUR)), put(market, carol, own), remove(market, bob, first),
        put(market, alice, chair), remove(market, alice, first),
    ])  # fmt: skip
    assert [len(result.lines) if isinstance(result, Cart) else type(result) for result in results] == [
        1, 1, 1, CurrencyMixed, OwnProduct, ItemNotFound, 2, 1,
    ]  # fmt: skip
    assert await lines_of(market, alice) == [(chair.product_id, 1)]
    assert await lines_of(market, bob) == [(chair.product_id, 1)]
    assert await market.all("SELECT FROM ordering.cart_items WHERE user_id = %s", carol) == []


async def test_carts_of_several_owners_are_opened_at_once_by_whoever_comes(market: Market) -> None:
    owners, lamp, other = [UserId(uuid4()) for _ in range(16)], offer(), await market.process()
    asked = [
        process.container.carts().change(market.tenant, owner, lambda cart: cart.put(item_id(), lamp, 1))
        for owner in owners
        for process in (market.here, other, market.here)
    ]
    await asyncio.gather(*asked)
    assert [await lines_of(market, owner) for owner in owners] == [[(lamp.product_id, 3)]] * len(owners)


async def test_what_may_have_been_added_is_not_added_again(market: Market) -> None:
    alice, bob, lamp, carts = UserId(uuid4()), UserId(uuid4()), offer(), market.here.container.carts()
    await market.all(_DEADLY)
    try:
        asked = [carts.change(market.tenant, who, lambda cart: cart.put(item_id(), lamp, 1)) for who in (alice, bob)]
        results = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        await market.all("DROP TRIGGER die_once ON ordering.cart_items")
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert [await lines_of(market, who) for who in (alice, bob)] == [[], []]
