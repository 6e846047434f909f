"""The codes of the service, a type each: `INSUFFICIENT_FUNDS` is `InsufficientFunds`. Their details are attributes."""

from typing import Final
from uuid import UUID

from strongbox_client.coded import BulkFault, Coded, Shortage


class ValidationError(Coded, status=400):
    """The request is malformed; `details` says which member, and why."""


class Unauthorized(Coded, status=401):
    """No credential, or one that is none any more."""

    reason: str | None = None  # why a wallet's message proves nothing: `nonce`, `domain`, `time` …


class Forbidden(Coded, status=403):
    """Another role or scope is needed."""


class OriginRefused(Coded, status=403):
    """A page of another site asks: programs do not meet it."""


class NotFound(Coded, status=404):
    """There is nothing of that name, or it is somebody else's."""


class MethodNotAllowed(Coded, status=405):
    """The resource has no such method."""


class AddressTaken(Coded, status=409):
    """Somebody else has this address."""


class AuctionClosed(Coded, status=409):
    """It takes no bids: it has not begun, or is over."""

    status: str


class AuctionHasBids(Coded, status=409):
    """Only an admin ends an auction with bids."""


class BalanceLimit(Coded, status=409):
    """The wallet has no room for as much."""


class BidTooLow(Coded, status=409):
    """Somebody bids more; `minimum_bid` is what would do."""

    minimum_bid: int


class BulkRefused(Coded, status=409):
    """Not all would be done, so none is."""

    errors: tuple[BulkFault, ...]


class BuyNowGone(Coded, status=409):
    """It cannot be bought at once, or not any more."""


class CartEmpty(Coded, status=409):
    """There is nothing in the cart."""


class CategoryCycle(Coded, status=409):
    """The category would be below itself."""


class CategoryInUse(Coded, status=409):
    """There are categories below it, or products in it."""


class CheckoutInProgress(Coded, status=409):
    """The cart is being checked out. The client waits for that, until its deadline."""


class CurrencyMixed(Coded, status=409):
    """There is something of another currency in the cart."""


class EmailTaken(Coded, status=409):
    """Somebody has this e-mail."""


class IdempotencyInProgress(Coded, status=409):
    """The key is being worked on. The client asks again, until its deadline."""

    payment_id: UUID | None = None
    refund_id: UUID | None = None


class InsufficientFunds(Coded, status=409):
    """The wallet does not hold enough. After a top-up it takes a new key."""

    currency: str
    current_balance: int
    amount: int


class OrderState(Coded, status=409):
    """This cannot be done with an order that stands where it does."""

    status: str


class OutOfStock(Coded, status=409):
    """There is less than the cart has of some products."""

    products: tuple[Shortage, ...] = ()


class OwnAuction(Coded, status=409):
    """Nobody bids for what they sell."""


class OwnProduct(Coded, status=409):
    """Nobody buys what they sell."""


class PaymentState(Coded, status=409):
    """Only an approved payment is refunded."""

    status: str


class PriceChanged(Coded, status=409):
    """The cart costs `total` by now, and is as before."""

    total: int


class ProductInAuction(Coded, status=409):
    """A product that is in an auction stays."""


class ReferenceReused(Coded, status=409):
    """The reference says something else already."""


class RefundTooLarge(Coded, status=409):
    """Only `refundable` is left."""

    refundable: int


class SlugTaken(Coded, status=409):
    """Another category has this slug."""


class StockReserved(Coded, status=409):
    """So much of it is `reserved`."""

    reserved: int | None = None


class TooMany(Coded, status=409):
    """There are as many as there may be."""


class TooManyChanges(Coded, status=409):
    """They were changed as often as they may be."""


class TooManyEdits(Coded, status=409):
    """It was changed as often as it may be."""


class UsernameTaken(Coded, status=409):
    """Somebody has this username."""


class WebhookDisabled(Coded, status=409):
    """To an endpoint that is disabled nothing is sent."""


class PreconditionFailed(Coded, status=412):
    """It has changed since: it is `version` now. Read it again."""

    version: int | None = None


class PayloadTooLarge(Coded, status=413):
    """The body is too large."""


class UriTooLong(Coded, status=414):
    """The target is too long."""


class UnsupportedMediaType(Coded, status=415):
    """The body is of another kind than the service takes."""


class IdempotencyKeyReused(Coded, status=422):
    """The key was used with another request: two of yours share one."""


class PreconditionRequired(Coded, status=428):
    """It has to be said which version is meant."""


class RateLimited(Coded, status=429):
    """More requests than are let through. The client waits, until its deadline."""

    limit: str | None = None


class HeadersTooLarge(Coded, status=431):
    """The headers are too many or too large."""


class Internal(Coded, status=500):
    """A bug of the service's."""


class GatewayError(Coded, status=502):
    """The gateway answered with an error. `FAILED` is final, the money back; while it is `PENDING` the client asks."""

    status: str
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    refunded: bool = False


class GatewayUnavailable(Coded, status=503):
    """The gateway takes nothing new, and nothing was done. The client asks again, until its deadline."""


class Unavailable(Coded, status=503):
    """The service cannot answer for now. The client asks again, until its deadline."""


class GatewayTimeout(Coded, status=504):
    """The gateway did not answer in time: `status` as with `GatewayError`."""

    status: str
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    refunded: bool = False


KINDS: Final = {kind.CODE: kind for kind in Coded.__subclasses__()}  # all of them
