"""What is asked when a cart is checked out, and how it ends."""

from dataclasses import dataclass
from typing import Protocol

from app.contexts.catalog.public import OutOfStock
from app.contexts.funds.public import InsufficientFunds
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.ids import CheckoutId
from app.contexts.ordering.domain.order import Order
from app.contexts.ordering.domain.refusals import CartEmpty, CheckoutInProgress, PriceChanged
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyScope
from app.platform.idempotency.refusals import KeyInProgress

CheckoutRefusal = CartEmpty | OutOfStock | PriceChanged | InsufficientFunds
"""Why nothing comes of a cart: the answer that is stored."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A request to order what is in the buyer's cart, for that much in minor units.

    The id is chosen once: running it again, whatever happened before, is the same request.
    """

    tenant_id: TenantId
    buyer_id: UserId
    key: str
    fingerprint: bytes
    checkout_id: CheckoutId
    expected_total_minor: int
    traceparent: str | None = None

    @property
    def scope(self) -> KeyScope:
        """What its key is unique within."""
        return self.buyer_id, self.key


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Another checkout of the cart, or this very one, has not ended: what the request is refused with for now."""

    checkout: Checkout | None
    """None where it has ended meanwhile."""
    refusal: KeyInProgress | CheckoutInProgress
    is_due: bool
    """Whether it is so old that whoever finds it decides it."""


class Answers(Protocol):
    """Makes the responses that are stored with their key, and sent again byte for byte."""

    def paid(self, checkout: Checkout, orders: list[Order]) -> Answer:
        """The response to a checkout whose orders are paid."""
        ...

    def refused(self, refusal: CheckoutRefusal) -> Answer:
        """The response to one of which nothing comes."""
        ...
