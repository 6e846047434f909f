"""POST /v1/purchases and /v1/purchases/{id}/refund."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from app.contexts.rewards.adapters.http.bodies import PURCHASE_BODY, REFUND_BODY
from app.contexts.rewards.adapters.http.errors import BUYING, REFUNDING
from app.contexts.rewards.adapters.http.examples import PURCHASE, PURCHASE_ID, REFUND
from app.contexts.rewards.adapters.http.views import PurchaseView, RefundView
from app.contexts.rewards.application.asked import BuyRequest, RefundRequest, Result
from app.contexts.rewards.domain.ids import PurchaseId, RefundId
from app.contexts.rewards.domain.refusals import UserNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.context import Http
from app.platform.http import queries
from app.platform.http.keyed import keyed, reply_of
from app.platform.http.operations import BEARER, Access, Operation, Parameter, Request, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT, read_uuid
from app.platform.http.replies import Reply
from app.platform.idempotency.keys import Answered
from app.platform.people import Directory

Buying = Callable[[BuyRequest, float], Awaitable[Result]]
TakingBack = Callable[[RefundRequest, float], Awaitable[Result]]
"""The batched use cases: each call is one command of a batch, begun by a time of the event loop or not at all."""
Knowing = Callable[[TenantId, UserId], Awaitable[None]]

TAG: Final = "cashback"
SCOPE: Final = "purchases:write"
MACHINES: Final = Access(frozenset(), SCOPE)
_BUY, _REFUND = "/v1/purchases", "/v1/purchases/{id}/refund"
_ONCE: Final = (
    "At most once for each who asks and key, however often it is sent. A finished request is answered again with the "
    "same bytes and `Idempotent-Replayed: true`."
)

PURCHASE_PARAMETER: Parameter[PurchaseId] = Parameter(
    name="id",
    key="purchase",
    where="path",
    read=lambda text: PurchaseId(read_uuid("id", text)),
    required=True,
    description="The purchase, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=PURCHASE_ID,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchases:
    """The handlers, with what they need."""

    buy: Buying
    take_back: TakingBack
    know: Knowing
    directory: Directory
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of purchases."""
        buy = Operation(
            method="POST",
            template=_BUY,
            name="recordPurchase",
            tag=TAG,
            summary="Record what somebody has bought",
            description=f"{_ONCE} A merchant's reference is good for one purchase, whatever the key: the same again is "
            "answered with what was answered first.",
            who=BEARER,
            access=MACHINES,
            handler=self.record_purchase,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=PURCHASE_BODY,
            successes=(_BOUGHT,),
            refusals=BUYING,
        )
        refund = Operation(
            method="POST",
            template=_REFUND,
            name="recordRefund",
            tag=TAG,
            summary="Record what of a purchase was given back",
            description=f"{_ONCE} Its cashback is taken back in proportion, rounded up. Without `amount` it is all "
            "that is left. A reference is good for one refund of the purchase, whatever the key.",
            who=BEARER,
            access=MACHINES,
            handler=self.record_refund,
            parameters=(PURCHASE_PARAMETER, IDEMPOTENCY_KEY, TRACEPARENT),
            body=REFUND_BODY,
            successes=(_REFUNDED,),
            refusals=REFUNDING,
        )
        return [buy, refund]

    async def record_purchase(self, request: Request) -> Reply:
        """Record one."""
        body, asker = request[PURCHASE_BODY], request.asker
        if problem := queries.unknown_currency(Currency(body.currency), self.http.currencies):
            raise problem
        asked = keyed(request, f"POST {_BUY}", body)
        wanted = BuyRequest(
            scope=asked.scope,
            fingerprint=asked.fingerprint,
            tenant_id=asker.tenant_id,
            purchase_id=PurchaseId(self.ids()),
            user_id=UserId(body.user_id),
            merchant=body.merchant,
            reference=body.external_reference,
            money=Money(body.amount, Currency(body.currency)),
            category=body.category,
            traceparent=request[TRACEPARENT],
        )
        deadline = self._deadline()
        return reply_of(request, await self.http.in_flight.write(self._bought(wanted, deadline), deadline))

    async def record_refund(self, request: Request) -> Reply:
        """Record one."""
        body, asker, purchase_id = request[REFUND_BODY], request.asker, request[PURCHASE_PARAMETER]
        asked = keyed(request, f"POST {_REFUND}", body, [purchase_id])
        wanted = RefundRequest(
            scope=asked.scope,
            fingerprint=asked.fingerprint,
            tenant_id=asker.tenant_id,
            refund_id=RefundId(self.ids()),
            purchase_id=purchase_id,
            amount_minor=None if body.amount is UNSET else body.amount,
            reference=body.reference,
            traceparent=request[TRACEPARENT],
        )
        deadline = self._deadline()
        return reply_of(request, await self.http.in_flight.write(self._taken_back(wanted, deadline), deadline))

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.http.timeout_s

    async def _bought(self, wanted: BuyRequest, deadline: float) -> Answered:
        """The answer. Of somebody of whom no event has told yet the directory is asked."""
        result = await self.buy(wanted, deadline)
        if isinstance(result, UserNotFound) and await self.directory.resolve(wanted.tenant_id, str(wanted.user_id)):
            await self.know(wanted.tenant_id, wanted.user_id)
            result = await self.buy(wanted, deadline)
        return _answered(result)

    async def _taken_back(self, wanted: RefundRequest, deadline: float) -> Answered:
        return _answered(await self.take_back(wanted, deadline))


def _answered(result: Result) -> Answered:
    if isinstance(result, Answered):
        return result
    raise result


_BOUGHT: Final = Success(
    status=201,
    description="The purchase, and what it has earned; what was answered first where the reference is known.",
    type=PurchaseView,
    example=PURCHASE,
)
_REFUNDED: Final = Success(
    status=201,
    description="The refund, and what was taken back; the same again where the reference is known.",
    type=RefundView,
    example=REFUND,
)
