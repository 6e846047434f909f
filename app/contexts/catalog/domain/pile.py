"""A product's pieces: what is left of them, with what is reserved of it, and what is sold."""

from dataclasses import dataclass, field

from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.offer import ReservedLine
from app.kernel.ids import UserId
from app.kernel.money import Currency


@dataclass(slots=True)
class Pile:
    """The pieces of a product, as one movement after the other leaves them. `moves` counts those."""

    product_id: ProductId
    seller_id: UserId
    title: str
    price_minor: int
    currency: Currency
    quantity: int
    reserved: int
    sold: int
    is_offered: bool
    """Whether any of it may be reserved: it is active, and not deleted."""
    moves: int = field(default=0, init=False)
    _available_before: int = field(init=False)

    def __post_init__(self) -> None:
        self._available_before = self.available

    @property
    def available(self) -> int:
        """What may be reserved of it."""
        return self.quantity - self.reserved if self.is_offered else 0

    @property
    def passed_zero(self) -> bool:
        """Whether there is some available now and was none, or the other way round."""
        return (self.available > 0) is not (self._available_before > 0)

    def reserve(self, qty: int) -> ReservedLine:
        """So many pieces, of which there are as many available."""
        self.reserved += qty
        self.moves += 1
        return ReservedLine(self.product_id, qty, self.seller_id, self.title, self.price_minor, self.currency)

    def sell(self, qty: int) -> None:
        """Pieces that were reserved leave it."""
        self.reserved -= qty
        self.quantity -= qty
        self.sold += qty
        self.moves += 1

    def let_go(self, qty: int) -> None:
        """Pieces that were reserved are not any longer."""
        self.reserved -= qty
        self.moves += 1

    def take_back(self, qty: int) -> None:
        """Pieces that were sold come back to it."""
        self.quantity += qty
        self.sold -= qty
        self.moves += 1
