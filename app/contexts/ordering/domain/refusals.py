"""What carts and orders refuse for a business reason: one class each, its data as attributes, no HTTP.

That there is not enough left of something is the catalogue's to refuse: its `OutOfStock`.
"""

from app.kernel.refusals import Refusal


class ProductNotFound(Refusal):
    """The tenant offers no such product."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such product"


class ItemNotFound(Refusal):
    """The user's cart has no such line."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such item in the cart"


class OrderNotFound(Refusal):
    """There is no such order, or it is between others."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such order"


class NotTheirs(Refusal):
    """Whoever asks sees the order, but this is for another side of it to do."""

    code = "FORBIDDEN"

    def __str__(self) -> str:
        return "this is for another side of the order to do"


class CartFull(Refusal):
    """A cart has so many lines at the most."""

    code = "VALIDATION_ERROR"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return f"a cart has at most {self.most} lines"


class TooMany(Refusal):
    """With those that are in the cart already, there are more pieces of one product than a line may have."""

    code = "VALIDATION_ERROR"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return f"a line has at most {self.most} pieces, with those that are in the cart already"


class TotalTooLarge(Refusal):
    """The cart would cost more than an amount can be, in minor units."""

    code = "VALIDATION_ERROR"

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most

    def __str__(self) -> str:
        return f"the cart would cost more than {self.most}"


class OwnProduct(Refusal):
    """Nobody buys from oneself."""

    code = "OWN_PRODUCT"

    def __str__(self) -> str:
        return "this is the buyer's own product"


class CurrencyMixed(Refusal):
    """A cart is of one currency."""

    code = "CURRENCY_MIXED"

    def __str__(self) -> str:
        return "the cart is of another currency"


class CheckoutInProgress(Refusal):
    """The cart is being checked out: until that is over it stays as it is."""

    code = "CHECKOUT_IN_PROGRESS"

    def __str__(self) -> str:
        return "the cart is being checked out"


class CartEmpty(Refusal):
    """There is nothing in the cart to order."""

    code = "CART_EMPTY"

    def __str__(self) -> str:
        return "the cart is empty"


class PriceChanged(Refusal):
    """What is ordered costs something else than was expected: `total`, in minor units."""

    code = "PRICE_CHANGED"

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.total = total

    def __str__(self) -> str:
        return "the total is not what was expected"


class OrderState(Refusal):
    """The order stands where this cannot be done with it any more, or not yet. `status` says where."""

    code = "ORDER_STATE"

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return "where the order stands this cannot be done with it"
