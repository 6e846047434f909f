"""GET /v1/cart, POST /v1/cart/items, PUT and DELETE /v1/cart/items/{id}."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import json

from app.contexts.catalog.public import ProductId
from app.contexts.ordering.adapters.http import errors
from app.contexts.ordering.adapters.http.parameters import ITEM, PRODUCT, PUT_BODY, QTY_BODY
from app.contexts.ordering.adapters.http.views import CartView, cart_view
from app.contexts.ordering.application.change_item import ChangeItem
from app.contexts.ordering.application.put_into_cart import PutIntoCart
from app.contexts.ordering.application.read_cart import ReadCart
from app.contexts.ordering.application.remove_item import RemoveItem
from app.contexts.ordering.domain.cart import PricedCart
from app.kernel.ids import UserId
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.replies import Reply

TAG: Final = "cart"
_ITEM: Final = "/v1/cart/items/{id}"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Carts:
    """The handlers, with what they need."""

    read: ReadCart
    put: PutIntoCart
    change: ChangeItem
    remove: RemoveItem
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of one's cart."""
        get = Operation(
            method="GET",
            template="/v1/cart",
            name="getCart",
            tag=TAG,
            summary="Read one's cart",
            description="Every line is at today's price. What is gone stays as it was, with `available` 0.",
            who=BEARER,
            handler=self.get_cart,
            successes=(_CART,),
            refusals=(codes.UNAVAILABLE,),
        )
        return [get, self._post(), *self._of_an_item()]

    def _post(self) -> Operation:
        return Operation(
            method="POST",
            template="/v1/cart/items",
            name="putIntoCart",
            tag=TAG,
            summary="Put pieces of a product into one's cart",
            description="The same product again adds up. How many of it there are is not looked at.",
            who=BEARER,
            handler=self.put_into_cart,
            body=PUT_BODY,
            successes=(replace(_CART, status=201),),
            refusals=(
                errors.TOO_MANY, errors.CART_FULL, errors.NO_SUCH_PRODUCT, errors.CHECKOUT_IN_PROGRESS,
                errors.OWN_PRODUCT, errors.CURRENCY_MIXED, codes.UNAVAILABLE,
            ),
        )  # fmt: skip

    def _of_an_item(self) -> Sequence[Operation]:
        put = Operation(
            method="PUT",
            template=_ITEM,
            name="changeCartItem",
            tag=TAG,
            summary="Change how many pieces an item of one's cart has",
            who=BEARER,
            handler=self.change_item,
            parameters=(ITEM,),
            body=QTY_BODY,
            successes=(_CART,),
            refusals=(errors.MALFORMED, errors.NO_SUCH_ITEM, errors.CHECKOUT_IN_PROGRESS, codes.UNAVAILABLE),
        )
        delete = replace(
            put,
            method="DELETE",
            name="removeCartItem",
            summary="Take an item out of one's cart",
            handler=self.remove_item,
            body=None,
            refusals=(errors.NO_SUCH_ITEM, errors.CHECKOUT_IN_PROGRESS, codes.UNAVAILABLE),
        )
        return [put, delete]

    async def get_cart(self, request: Request) -> Reply:
        """One's cart."""
        asker = request.asker
        reading = self.read(asker.tenant_id, UserId(asker.id))
        return _answer(200, await self.http.in_flight.read(reading, self.http.timeout_s))

    async def put_into_cart(self, request: Request) -> Reply:
        """One's cart with more in it."""
        asker, body = request.asker, request[PUT_BODY]
        putting = self.put(asker.tenant_id, UserId(asker.id), ProductId(body.product_id), body.qty)
        return _answer(201, await self._changed(putting))

    async def change_item(self, request: Request) -> Reply:
        """One's cart with another number of something."""
        asker = request.asker
        changing = self.change(asker.tenant_id, UserId(asker.id), request[ITEM], request[QTY_BODY].qty)
        return _answer(200, await self._changed(changing))

    async def remove_item(self, request: Request) -> Reply:
        """One's cart without something."""
        asker = request.asker
        return _answer(200, await self._changed(self.remove(asker.tenant_id, UserId(asker.id), request[ITEM])))

    async def _changed(self, work: Coroutine[Any, Any, PricedCart]) -> PricedCart:
        return await self.http.in_flight.write(work, asyncio.get_running_loop().time() + self.http.timeout_s)


def _answer(status: int, cart: PricedCart) -> Reply:
    return Reply(status, _encode(cart_view(cart)))


_CART: Final = Success(
    status=200,
    description="The cart.",
    type=CartView,
    example={
        "cart_id": "0193a5b2-7c4e-7d14-95f6-1b2c3d4e5f60",
        "items": [
            {
                "item_id": ITEM.example,
                "product_id": PRODUCT,
                "title": "A lamp",
                "qty": 2,
                "price": 1250,
                "currency": "USD",
                "available": 7,
            }
        ],
        "total": 2500,
        "currency": "USD",
    },
)
