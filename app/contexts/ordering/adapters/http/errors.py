"""The errors that requests about carts and orders are answered with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from app.contexts.catalog.public import OutOfStock
from app.contexts.ordering.domain.cart import MOST_LINES, MOST_PIECES
from app.contexts.ordering.domain.refusals import (
    CartEmpty,
    CartFull,
    CheckoutInProgress,
    CurrencyMixed,
    ItemNotFound,
    OrderNotFound,
    OrderState,
    OwnProduct,
    PriceChanged,
    ProductNotFound,
    TooMany,
    TotalTooLarge,
)
from app.kernel.refusals import Refusal
from app.platform.http import codes
from app.platform.http.codes import ErrorCode, in_a_moment


def _of_qty(refusal: Refusal) -> Mapping[str, Any]:
    return {"qty": str(refusal)}


QTY_RULE: Final = f"must be an integer between 1 and {MOST_PIECES}"

MALFORMED: Final = replace(
    codes.VALIDATION_ERROR,
    when="Malformed, or the cart would cost more than 2^63-1.",
    details={"qty": QTY_RULE},
    refusals=(TotalTooLarge,),
    details_of=_of_qty,
)
TOO_MANY: Final = replace(
    codes.VALIDATION_ERROR,
    when=f"Malformed, or the line would have more than {MOST_PIECES} pieces, or the cart cost more than 2^63-1.",
    details={"qty": QTY_RULE},
    refusals=(TooMany, TotalTooLarge),
    details_of=_of_qty,
)
CART_FULL: Final = replace(
    codes.VALIDATION_ERROR,
    when=f"The cart has {MOST_LINES} lines already.",
    details={"product_id": str(CartFull(MOST_LINES))},
    refusals=(CartFull,),
    details_of=lambda refusal: {"product_id": str(refusal)},
)
NO_SUCH_PRODUCT: Final = replace(
    codes.NOT_FOUND,
    when="There is no such product.",
    message=str(ProductNotFound()),
    refusals=(ProductNotFound,),
)
NO_SUCH_ITEM: Final = replace(
    codes.NOT_FOUND,
    when="There is no such item in one's cart.",
    message=str(ItemNotFound()),
    refusals=(ItemNotFound,),
)
NO_SUCH_ORDER: Final = replace(
    codes.NOT_FOUND,
    when="There is no such order, or it is between others.",
    message=str(OrderNotFound()),
    refusals=(OrderNotFound,),
)
CURRENCY_MIXED: Final = ErrorCode(
    name="CURRENCY_MIXED",
    status=409,
    when="There is something of another currency in the cart.",
    message=str(CurrencyMixed()),
    details={},
    refusals=(CurrencyMixed,),
)
OWN_PRODUCT: Final = ErrorCode(
    name="OWN_PRODUCT",
    status=409,
    when="Whoever asks sells it.",
    message=str(OwnProduct()),
    details={},
    refusals=(OwnProduct,),
)
CHECKOUT_IN_PROGRESS: Final = ErrorCode(
    name="CHECKOUT_IN_PROGRESS",
    status=409,
    when="The cart is being checked out. Never stored.",
    message=str(CheckoutInProgress()),
    details={},
    refusals=(CheckoutInProgress,),
    retry_after_s=in_a_moment,
)
CART_EMPTY: Final = ErrorCode(
    name="CART_EMPTY",
    status=409,
    when="There is nothing in the cart. Stored.",
    message=str(CartEmpty()),
    details={},
    refusals=(CartEmpty,),
    is_stored=True,
)
OUT_OF_STOCK: Final = ErrorCode(
    name="OUT_OF_STOCK",
    status=409,
    when="Of some products less can be had than is in the cart: `details` says how much. Stored.",
    message=str(OutOfStock({})),
    details={"products": [{"product_id": "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f", "available": 2}]},
    refusals=(OutOfStock,),
    details_of=OutOfStock.told,
    is_stored=True,
)
PRICE_CHANGED: Final = ErrorCode(
    name="PRICE_CHANGED",
    status=409,
    when="The cart costs something else than `expected_total`: `details` says what. Stored.",
    message=str(PriceChanged(1300)),
    details={"total": 1300},
    refusals=(PriceChanged,),
    details_of=lambda refusal: {"total": refusal.total},
    is_stored=True,
)
ORDER_STATE: Final = ErrorCode(
    name="ORDER_STATE",
    status=409,
    when="Where the order stands, which `details` says, this cannot be done with it.",
    message=str(OrderState("shipped")),
    details={"status": "shipped"},
    refusals=(OrderState,),
    details_of=lambda refusal: {"status": refusal.status},
)
