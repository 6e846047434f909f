"""POST /v1/orders/{id}/ship, /complete and /cancel."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from app.contexts.funds.public import BalanceLimit
from app.contexts.ordering.adapters.http import errors
from app.contexts.ordering.adapters.http.orders import EXAMPLE, ONE, TAG
from app.contexts.ordering.adapters.http.parameters import ORDER
from app.contexts.ordering.adapters.http.views import order_json
from app.contexts.ordering.application.close_order import CloseOrder
from app.contexts.ordering.application.closing_steps import Complete, Start
from app.contexts.ordering.domain.order import Closing, Order
from app.contexts.ordering.domain.refusals import NotTheirs
from app.kernel.ids import UserId
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import BEARER, Operation, Request, Success
from app.platform.http.parameters import TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.http.shapes import PLAIN_TEXT, is_plain

MAX_TEXT: Final = 140
_RULE: Final = Rule(
    f"must be a string of 1 to {MAX_TEXT} characters, none of them a control character",
    lambda text: text is UNSET or is_plain(text),
)
_Text = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]


class ShipBody(Struct, frozen=True, forbid_unknown_fields=True):
    """By what the buyer can follow it."""

    tracking: Annotated[_Text | UnsetType, _RULE] = UNSET


class CancelBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is cancelled."""

    reason: Annotated[_Text | UnsetType, _RULE] = UNSET


SHIP_BODY: Final = JsonBody(ShipBody, {"tracking": EXAMPLE["tracking"]}, "what is said of shipping")
CANCEL_BODY: Final = JsonBody(CancelBody, {"reason": "it broke"}, "what is said of cancelling")

_BALANCE_LIMIT: Final = ErrorCode(
    name="BALANCE_LIMIT",
    status=409,
    when="The seller's balance, or the house's, would pass 2^63-1. The order stays paid.",
    message=str(BalanceLimit()),
    details={},
    refusals=(BalanceLimit,),
)
_NOT_THEIRS: Final = replace(
    codes.FORBIDDEN,
    when="A user's role is needed, or this is for another side of the order to do.",
    message=str(NotTheirs()),
    refusals=(NotTheirs,),
)
_REFUSALS: Final = (errors.NO_SUCH_ORDER, _NOT_THEIRS, errors.ORDER_STATE, codes.UNAVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closings:
    """The handlers, with what they need."""

    close: CloseOrder
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of closing."""
        return [self._shipping(), self._completing(), self._cancelling()]

    def _shipping(self) -> Operation:
        return Operation(
            method="POST",
            template="/v1/orders/{id}/ship",
            name="shipOrder",
            tag=TAG,
            summary="Say that an order is on its way",
            description="For its seller, who gets the money by it. The same again is answered the same.",
            who=BEARER,
            handler=self.ship,
            parameters=(ORDER, TRACEPARENT),
            body=SHIP_BODY,
            successes=(ONE,),
            refusals=(codes.VALIDATION_ERROR, *_REFUSALS, _BALANCE_LIMIT),
        )

    def _completing(self) -> Operation:
        return Operation(
            method="POST",
            template="/v1/orders/{id}/complete",
            name="completeOrder",
            tag=TAG,
            summary="Say that an order has arrived",
            description="For its buyer; after a while it is so by itself. The same again is answered the same.",
            who=BEARER,
            handler=self.complete,
            parameters=(ORDER, TRACEPARENT),
            successes=(_of_status("completed"),),
            refusals=_REFUSALS,
        )

    def _cancelling(self) -> Operation:
        return Operation(
            method="POST",
            template="/v1/orders/{id}/cancel",
            name="cancelOrder",
            tag=TAG,
            summary="Cancel an order that is not on its way",
            description="For its buyer and its seller: the money is the buyer's again, and the products are for sale. "
            "The same again is answered the same.",
            who=BEARER,
            handler=self.cancel,
            parameters=(ORDER, TRACEPARENT),
            body=CANCEL_BODY,
            successes=(_of_status("cancelled"),),
            refusals=(codes.VALIDATION_ERROR, *_REFUSALS),
        )

    async def ship(self, request: Request) -> Reply:
        """Answer a seller."""
        tracking = request[SHIP_BODY].tracking
        start = _start(request, Closing.SHIP, tracking=None if tracking is UNSET else tracking)
        return await self._answer(self.close(start, request[TRACEPARENT]))

    async def complete(self, request: Request) -> Reply:
        """Answer a buyer."""
        asker = request.asker
        step = Complete(
            asker.tenant_id, request[ORDER], UserId(asker.id), request[TRACEPARENT], by_admin=asker.role is Role.ADMIN
        )
        return await self._answer(self.close.complete(step))

    async def cancel(self, request: Request) -> Reply:
        """Answer either."""
        reason = request[CANCEL_BODY].reason
        start = _start(request, Closing.CANCEL, reason=None if reason is UNSET else reason)
        return await self._answer(self.close(start, request[TRACEPARENT]))

    async def _answer(self, work: Coroutine[Any, Any, Order]) -> Reply:
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        return Reply(200, order_json(await self.http.in_flight.write(work, deadline)))


def _start(request: Request, closing: Closing, **said: str | None) -> Start:
    asker = request.asker
    return Start(
        tenant_id=asker.tenant_id,
        order_id=request[ORDER],
        closing=closing,
        by=UserId(asker.id),
        by_admin=asker.role is Role.ADMIN,
        **said,
    )


def _of_status(status: str) -> Success:
    return replace(ONE, example=EXAMPLE | {"status": status})
