"""A cart: what somebody means to buy. Nothing in it is promised to them: not that there is enough, nor the price."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from app.contexts.catalog.public import Offer, ProductId
from app.contexts.ordering.domain.ids import CartId, CheckoutId, ItemId
from app.contexts.ordering.domain.refusals import (
    CartFull,
    CheckoutInProgress,
    CurrencyMixed,
    ItemNotFound,
    OwnProduct,
    TooMany,
    TotalTooLarge,
)
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR, Currency
from app.kernel.principal import TenantId

MOST_LINES: Final = 100
MOST_PIECES: Final = 1_000
"""Of one product."""


@dataclass(frozen=True, slots=True)
class CartLine:
    """Pieces of a product, with what it was called and cost, in minor units, when the line was last added to."""

    id: ItemId
    product_id: ProductId
    title: str
    price_minor: int
    qty: int

    def priced(self, offer: Offer | None, currency: Currency | None) -> "PricedLine":
        """The line as the product is offered now. One that is not offered any more, or not in the cart's currency,
        keeps its title and price, and nothing of it can be had.
        """
        if offer is None or offer.currency != currency:
            return PricedLine(self.id, self.product_id, self.title, self.price_minor, self.qty, 0)
        return PricedLine(self.id, self.product_id, offer.title, offer.price_minor, self.qty, offer.available)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line at today's price. `available` is how much of the product can be had."""

    id: ItemId
    product_id: ProductId
    title: str
    price_minor: int
    qty: int
    available: int


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart at today's prices. `total`, in minor units, is what all its lines cost, those that are gone included: it
    is the sum of what is shown, and with one of those nothing can be ordered anyway. Where prices have risen it may
    pass 2^63-1.
    """

    id: CartId
    lines: tuple[PricedLine, ...]
    currency: Currency | None

    @property
    def total_minor(self) -> int:
        """What all lines cost."""
        return sum(line.qty * line.price_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Cart:
    """A user's open cart. It is of one currency, that of its lines; an empty one is of none."""

    id: CartId
    tenant_id: TenantId
    owner: UserId
    currency: Currency | None = None
    checkout_id: CheckoutId | None = None
    """The checkout that is under way with it."""
    lines: tuple[CartLine, ...] = ()

    @property
    def products(self) -> Collection[ProductId]:
        """What is in it."""
        return [line.product_id for line in self.lines]

    def line(self, item_id: ItemId) -> CartLine:
        """The line with that id.

        Raises:
            ItemNotFound: it has none.
        """
        for line in self.lines:
            if line.id == item_id:
                return line
        raise ItemNotFound

    def line_of(self, product_id: ProductId) -> CartLine | None:
        """The line of that product, if it has one."""
        return next((line for line in self.lines if line.product_id == product_id), None)

    def put(self, item_id: ItemId, offer: Offer, qty: int) -> "Cart":
        """The cart with so many pieces more of what is offered. A new line has that id, and is the last.

        Raises:
            TooMany: with those in the cart there are too many pieces of it.
            CartFull: there are too many other lines.
            TotalTooLarge: with it the cart would cost more than an amount can be.
            CheckoutInProgress: it has to stay as it is.
            OwnProduct: the owner sells it.
            CurrencyMixed: there is something of another currency in the cart.
        """
        before = self.line_of(offer.product_id)
        others = tuple(line for line in self.lines if line is not before)
        pieces = (before.qty if before else 0) + qty
        if pieces > MOST_PIECES:
            raise TooMany(MOST_PIECES)
        if len(others) >= MOST_LINES:
            raise CartFull(MOST_LINES)
        line = CartLine(before.id if before else item_id, offer.product_id, offer.title, offer.price_minor, pieces)
        lines = tuple(line if each is before else each for each in self.lines) if before else (*others, line)
        is_mixed = bool(others) and self.currency != offer.currency
        if not is_mixed:
            _see_that_it_can_be_paid(lines)
        self._see_that_it_may_change()
        if offer.seller_id == self.owner:
            raise OwnProduct
        if is_mixed:
            raise CurrencyMixed
        return replace(self, currency=offer.currency, lines=lines)

    def change(self, item_id: ItemId, qty: int) -> "Cart":
        """The cart with so many pieces in that line.

        Raises:
            ItemNotFound: it has no such line.
            TotalTooLarge: so many would cost more than an amount can be.
            CheckoutInProgress: it has to stay as it is.
        """
        changed = self.line(item_id)
        lines = tuple(replace(line, qty=qty) if line is changed else line for line in self.lines)
        if qty > changed.qty:
            _see_that_it_can_be_paid(lines)
        self._see_that_it_may_change()
        return replace(self, lines=lines)

    def remove(self, item_id: ItemId) -> "Cart":
        """The cart without that line.

        Raises:
            ItemNotFound: it has no such line.
            CheckoutInProgress: it has to stay as it is.
        """
        removed = self.line(item_id)
        self._see_that_it_may_change()
        lines = tuple(line for line in self.lines if line is not removed)
        return replace(self, lines=lines, currency=self.currency if lines else None)

    def priced(self, offers: Mapping[ProductId, Offer]) -> PricedCart:
        """The cart as its products are offered now."""
        lines = tuple(line.priced(offers.get(line.product_id), self.currency) for line in self.lines)
        return PricedCart(self.id, lines, self.currency)

    def _see_that_it_may_change(self) -> None:
        if self.checkout_id is not None:
            raise CheckoutInProgress


def _see_that_it_can_be_paid(lines: Collection[CartLine]) -> None:
    """By the prices of when they were put in; that prices rise is seen when it is checked out."""
    if sum(line.qty * line.price_minor for line in lines) > MAX_MINOR:
        raise TotalTooLarge(MAX_MINOR)
