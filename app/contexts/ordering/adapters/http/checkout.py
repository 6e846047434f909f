"""POST /v1/orders."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, Struct, json

from app.contexts.funds.public import InsufficientFunds
from app.contexts.ordering.adapters.http import errors
from app.contexts.ordering.adapters.http.orders import EXAMPLE, TAG
from app.contexts.ordering.adapters.http.views import OrderView, order_view
from app.contexts.ordering.application.asked import CheckoutRefusal, CheckoutRequest
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.ids import CheckoutId
from app.contexts.ordering.domain.order import Order
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.kernel.new_ids import Ids
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.keyed import KEYED, keyed, refused, reply_of
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.idempotency.keys import Answer, Answered

_ROUTE: Final = "/v1/orders"
_encode = json.Encoder().encode

CheckingOut = Callable[[CheckoutRequest, float], Coroutine[Any, Any, Answered]]
"""The use case: `app.contexts.ordering.application.check_out.CheckOut`."""


class CheckoutBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer expects the whole cart to cost, in minor units."""

    expected_total: Annotated[
        int,
        Meta(ge=0, description="Minor units (cents).", extra_json_schema={"maximum": MAX_MINOR}),
        Rule(f"must be an integer between 0 and {MAX_MINOR}", lambda total: total <= MAX_MINOR),
    ]


class CheckoutView(Struct, frozen=True):
    """What became of a cart: one order a seller, all of them paid."""

    checkout_id: UUID
    orders: list[OrderView]


class HttpCheckoutAnswers:
    """Makes the bytes that are stored, sent, and replayed."""

    def paid(self, checkout: Checkout, orders: Sequence[Order]) -> Answer:
        """The orders."""
        return Answer(201, _encode(CheckoutView(checkout.id, [order_view(order) for order in orders])))

    def refused(self, refusal: CheckoutRefusal) -> Answer:
        """Why not."""
        return refused(_STORED[type(refusal)], refusal)


CHECKOUT_BODY: Final = JsonBody(CheckoutBody, {"expected_total": 2500}, "a checkout")

INSUFFICIENT_FUNDS: Final = ErrorCode(
    name="INSUFFICIENT_FUNDS",
    status=409,
    when="The wallet does not hold as much as the orders cost. Stored: after a top-up a new key is needed.",
    message="the wallet does not hold enough; after a top-up use a new Idempotency-Key",
    details={"currency": "USD", "current_balance": 100, "amount": 2500},
    refusals=(InsufficientFunds,),
    details_of=InsufficientFunds.told,
    is_stored=True,
)
_REFUSALS: Final = (
    codes.VALIDATION_ERROR,
    codes.UNAVAILABLE,
    errors.CART_EMPTY,
    errors.CHECKOUT_IN_PROGRESS,
    errors.OUT_OF_STOCK,
    errors.PRICE_CHANGED,
    INSUFFICIENT_FUNDS,
    *KEYED,
)
_STORED: Final = {type_: kind for kind in _REFUSALS if kind.is_stored for type_ in kind.refusals}
_PLACED: Final = Success(
    status=201,
    description="The orders, one a seller: all of them are paid, that is to say their money is set aside.",
    type=CheckoutView,
    example={
        "checkout_id": EXAMPLE["checkout_id"],
        "orders": [EXAMPLE | {"status": "paid", "tracking": None}],
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkouts:
    """The handler, with what it needs."""

    check_out: CheckingOut
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of checking out."""
        create = Operation(
            method="POST",
            template=_ROUTE,
            name="createOrders",
            tag=TAG,
            summary="Order what is in one's cart",
            description="All of it or nothing, one order a seller. At most once for each who asks and key, however "
            "often it is sent: a finished request is answered again with the same bytes and "
            "`Idempotent-Replayed: true`. After a refusal the cart is as before.",
            who=BEARER,
            buckets=("wallet",),
            handler=self.create_orders,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=CHECKOUT_BODY,
            successes=(_PLACED,),
            refusals=_REFUSALS,
        )
        return [create]

    async def create_orders(self, request: Request) -> Reply:
        """Answer a request to check out."""
        body, asker = request[CHECKOUT_BODY], request.asker
        asked = keyed(request, f"POST {_ROUTE}", body)
        wanted = CheckoutRequest(
            asker.tenant_id,
            UserId(asker.id),
            asked.key,
            asked.fingerprint,
            CheckoutId(self.ids()),
            body.expected_total,
            request[TRACEPARENT],
        )
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        return reply_of(request, await self.http.in_flight.write(self.check_out(wanted, deadline), deadline))
