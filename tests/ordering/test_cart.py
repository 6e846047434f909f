"""What a cart takes, what it refuses, and what it shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from app.contexts.catalog.public import Offer, Offers, ProductId
from app.contexts.ordering.application.read_cart import Prices
from app.contexts.ordering.domain.cart import MOST_LINES, MOST_PIECES
from app.contexts.ordering.domain.ids import CheckoutId
from app.contexts.ordering.domain.refusals import (
    CartFull,
    CheckoutInProgress,
    CurrencyMixed,
    ItemNotFound,
    OwnProduct,
    TooMany,
)
from app.kernel.principal import TenantId
from tests.builders import EUR, USD
from tests.ordering.orders import cart, item_id, offer


def test_the_same_product_adds_up_in_its_line() -> None:
    lamp, other = offer(), offer()
    filled = cart(lamp, other)
    dearer = replace(lamp, price_minor=1_300, title="a better lamp")
    again = filled.put(item_id(), dearer, 4)
    assert [line.id for line in again.lines] == [line.id for line in filled.lines]
    assert (again.lines[0].qty, again.lines[0].price_minor, again.lines[0].title) == (5, 1_300, "a better lamp")


def test_a_line_has_only_so_many_pieces_however_they_come() -> None:
    lamp = offer()
    full = cart().put(item_id(), lamp, MOST_PIECES - 1).put(item_id(), lamp, 1)
    with pytest.raises(TooMany):
        full.put(item_id(), lamp, 1)


def test_a_cart_has_only_so_many_lines_and_more_of_those_still_fits() -> None:
    offers = [offer() for _ in range(MOST_LINES)]
    full = cart(*offers)
    with pytest.raises(CartFull):
        full.put(item_id(), offer(), 1)
    assert full.put(item_id(), offers[-1], 1).lines[-1].qty == 2


def test_a_cart_is_of_one_currency_until_it_is_empty() -> None:
    filled = cart(offer(currency=USD))
    with pytest.raises(CurrencyMixed):
        filled.put(item_id(), offer(currency=EUR), 1)
    empty = filled.remove(filled.lines[0].id)
    assert empty.currency is None
    assert empty.put(item_id(), offer(currency=EUR), 1).currency == EUR


def test_its_only_product_may_have_changed_its_currency() -> None:
    lamp = offer(currency=USD)
    again = cart(lamp).put(item_id(), replace(lamp, currency=EUR), 1)
    assert (again.currency, [line.qty for line in again.lines]) == (EUR, [2])


def test_nobody_buys_their_own() -> None:
    own = offer()
    with pytest.raises(OwnProduct):
        cart(owner=own.seller_id).put(item_id(), own, 1)


def test_while_it_is_checked_out_nothing_changes() -> None:
    lamp = offer()
    waiting = replace(cart(lamp), checkout_id=CheckoutId(uuid4()))
    line = waiting.lines[0].id
    with pytest.raises(CheckoutInProgress):
        waiting.put(item_id(), lamp, 1)
    with pytest.raises(CheckoutInProgress):
        waiting.change(line, 2)
    with pytest.raises(CheckoutInProgress):
        waiting.remove(line)


def test_a_line_that_it_does_not_have_is_not_found_even_then() -> None:
    waiting = replace(cart(offer()), checkout_id=CheckoutId(uuid4()))
    with pytest.raises(ItemNotFound):
        waiting.change(item_id(), 2)
    with pytest.raises(ItemNotFound):
        waiting.remove(item_id())


def test_lines_are_shown_as_their_products_are_offered_now() -> None:
    lamp = offer(available=3)
    filled = cart(lamp).put(item_id(), lamp, 4)
    now = replace(lamp, title="a red lamp", price_minor=2_000, available=1)
    shown = filled.priced({lamp.product_id: now})
    assert [(line.title, line.price_minor, line.qty, line.available) for line in shown.lines] == [
        ("a red lamp", 2_000, 5, 1)
    ]
    assert shown.total_minor == 10_000


def test_what_is_gone_stays_as_it_was_and_counts() -> None:
    lamp, gone = offer(price_minor=100), offer(price_minor=7, title="a chair")
    shown = cart(lamp, gone).priced({lamp.product_id: lamp})
    assert [(line.title, line.available) for line in shown.lines] == [("a lamp", 3), ("a chair", 0)]
    assert shown.total_minor == 107


def test_what_is_offered_in_another_currency_now_is_gone() -> None:
    lamp = offer(price_minor=100, currency=USD)
    shown = cart(lamp).priced({lamp.product_id: replace(lamp, currency=EUR, price_minor=90)})
    assert [(line.price_minor, line.available) for line in shown.lines] == [(100, 0)]
    assert (shown.currency, shown.total_minor) == (USD, 100)


@dataclass
class Shelf(Offers):
    """What is offered, and what of it was asked for."""

    all: Collection[Offer]
    asked: list[ProductId] = field(default_factory=list)

    async def offers(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Offer]:
        """See `Offers.offers`."""
        self.asked += products
        return {each.product_id: each for each in self.all if each.product_id in products}


async def test_what_has_just_been_read_is_not_read_again_for_its_price() -> None:
    lamp, chair, gone = offer(), offer(price_minor=7_000, available=2), offer()
    shelf = Shelf([lamp, chair])
    priced = await Prices(shelf).of(cart(lamp, chair, gone), replace(lamp, price_minor=1_300))
    assert [(line.price_minor, line.available) for line in priced.lines] == [(1_300, 3), (7_000, 2), (1_250, 0)]
    assert shelf.asked == [chair.product_id, gone.product_id]
