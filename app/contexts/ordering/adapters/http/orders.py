"""GET /v1/orders and /v1/orders/{id}."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from msgspec import json

from app.contexts.ordering.adapters.http import errors
from app.contexts.ordering.adapters.http.parameters import ORDER, PRODUCT, SIDE
from app.contexts.ordering.adapters.http.views import OrdersView, OrderView, order_json, order_view
from app.contexts.ordering.application.ports import Place
from app.contexts.ordering.application.read_orders import ReadOrders
from app.contexts.ordering.domain.ids import OrderId
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import CURSOR, LIMIT
from app.platform.http.replies import Reply

TAG: Final = "orders"
_LIST: Final = "/v1/orders"

_encode = json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The handlers, with what they need."""

    read: ReadOrders
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of reading orders."""
        one = Operation(
            method="GET",
            template="/v1/orders/{id}",
            name="getOrder",
            tag=TAG,
            summary="Read an order",
            description="It is there for its buyer, its seller, and admins.",
            who=BEARER,
            handler=self.get_order,
            parameters=(ORDER,),
            successes=(ONE,),
            refusals=(errors.NO_SUCH_ORDER, codes.UNAVAILABLE),
        )
        several = Operation(
            method="GET",
            template=_LIST,
            name="listOrders",
            tag=TAG,
            summary="Read what one has bought and sold",
            description="Admins see all orders of the tenant.",
            who=BEARER,
            handler=self.list_orders,
            parameters=(SIDE, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(_WRONG_SIDE, codes.UNAVAILABLE),
        )
        return [one, several]

    async def get_order(self, request: Request) -> Reply:
        """One order."""
        reading = self.read.one(request.asker, request[ORDER])
        return Reply(200, order_json(await self.http.in_flight.read(reading, self.http.timeout_s)))

    async def list_orders(self, request: Request) -> Reply:
        """A page of those that are asked for."""
        asker, side, cursor = request.asker, request[SIDE], request[CURSOR]
        of = (_LIST, side or ("all" if asker.role is Role.ADMIN else "own"))
        before = None
        if cursor is not None:
            at, last = queries.position_of(asker.id, cursor, *of)
            before = Place(at, OrderId(last))
        reading = self.read.page(asker, side, before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(asker.id, page.next, *of)
        return Reply(200, _encode(OrdersView([*map(order_view, page.orders)], following)))


_WRONG_SIDE: Final = replace(codes.VALIDATION_ERROR, details={"as": "must be buyer or seller"})

EXAMPLE: Final = {
    "order_id": ORDER.example,
    "checkout_id": "0193a5b2-7c4e-7d17-88d9-4e5f60718293",
    "buyer_id": "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10",
    "seller_id": "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a",
    "items": [{"product_id": PRODUCT, "title": "A lamp", "qty": 2, "price": 1250}],
    "total": 2500,
    "fee": 25,
    "currency": "USD",
    "status": "shipped",
    "payment_ref": "0193a5b2-7c4e-7d18-99ea-5f6071829304",
    "tracking": "1Z 999 AA1 01 2345 6784",
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-02-01T09:30:00.000000Z",
}
"""An order, for whatever answers with one."""
ONE: Final = Success(status=200, description="The order.", type=OrderView, example=EXAMPLE)
_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=OrdersView,
    example={"orders": [EXAMPLE], "next_cursor": None},
)
