"""/v1/payments/{id}/refunds and /v1/refunds: giving back, and reading what was given back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from msgspec import UNSET, json

from app.contexts.payments.adapters.http.answers import refund_pending
from app.contexts.payments.adapters.http.body import REFUND_BODY
from app.contexts.payments.adapters.http.errors import NO_SUCH_PAYMENT, NO_SUCH_REFUND, REFUND, REFUNDING
from app.contexts.payments.adapters.http.parameters import PAYMENT_ID, REFUND_ID
from app.contexts.payments.adapters.http.v1_payments import EXAMPLE, PAYMENTS, TAG
from app.contexts.payments.adapters.http.views import RefundsShape, refunds_shape
from app.contexts.payments.adapters.http.watching import watched
from app.contexts.payments.adapters.shapes import RefundShape, refund_fields, refund_shape
from app.contexts.payments.application.read_payments import READ_SCOPE, REFUND_SCOPE, Place, ReadPayments
from app.contexts.payments.application.refund_payment import OnPromised
from app.contexts.payments.application.refund_request import RefundPending, RefundRequest
from app.contexts.payments.application.results import Answered
from app.contexts.payments.domain.ids import RefundId
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.refund import Refund
from app.kernel.new_ids import Ids
from app.kernel.principal import Role
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.keyed import keyed, reply_of
from app.platform.http.operations import BEARER, Access, Operation, Request, Success
from app.platform.http.parameters import CURSOR, IDEMPOTENCY_KEY, LIMIT, TRACEPARENT
from app.platform.http.replies import Reply

_OF_A_PAYMENT: Final = f"{PAYMENTS}/{{id}}/refunds"
_ONE: Final = "/v1/refunds/{id}"
_SEEN_BY: Final = Access(scope=READ_SCOPE, or_with=frozenset({REFUND_SCOPE}))

_encode = json.Encoder().encode

_EXAMPLE: Final = {
    "refund_id": REFUND,
    "payment_id": EXAMPLE["payment_id"],
    "user_id": EXAMPLE["user_id"],
    **REFUND_BODY.example,
    "currency": "USD",
    "status": "COMPLETED",
    "failure_code": None,
    "created_at": "2026-02-01T09:30:00.000000Z",
    "finalized_at": "2026-02-01T09:30:00.051234Z",
}


class Refunding(Protocol):
    """The use case: `app.contexts.payments.application.refund_payment.RefundPayment`."""

    async def __call__(
        self, request: RefundRequest, deadline: float, on_promised: OnPromised
    ) -> Answered | RefundPending:
        """Refund."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunds:
    """The handlers, with what they need."""

    refund: Refunding
    read: ReadPayments
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of refunds."""
        create = Operation(
            method="POST",
            template=_OF_A_PAYMENT,
            name="refundPayment",
            tag=TAG,
            summary="Give back what was paid, or a part of it",
            description="A refund that is promised is kept: what its outcome is not known of is repeated until it is. "
            "At most once for each who asks and key, however often it is sent: a finished request is answered again "
            "with the same bytes and `Idempotent-Replayed: true`.",
            who=BEARER,
            access=Access(frozenset({Role.ADMIN}), REFUND_SCOPE),
            handler=self.create_refund,
            parameters=(PAYMENT_ID, IDEMPOTENCY_KEY, TRACEPARENT),
            body=REFUND_BODY,
            successes=(_MADE,),
            refusals=REFUNDING,
        )
        return [create, *self._reading()]

    def _reading(self) -> Sequence[Operation]:
        several = Operation(
            method="GET",
            template=_OF_A_PAYMENT,
            name="listRefunds",
            tag=TAG,
            summary="Read what of a payment was given back",
            description="For whoever may see the payment.",
            who=BEARER,
            access=_SEEN_BY,
            handler=self.list_refunds,
            parameters=(PAYMENT_ID, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(NO_SUCH_PAYMENT, codes.UNAVAILABLE),
        )
        one = Operation(
            method="GET",
            template=_ONE,
            name="getRefund",
            tag=TAG,
            summary="Read a refund",
            description="For whoever may see its payment.",
            who=BEARER,
            access=_SEEN_BY,
            handler=self.get_refund,
            parameters=(REFUND_ID,),
            successes=(_FOUND,),
            refusals=(NO_SUCH_REFUND, codes.UNAVAILABLE),
        )
        return [several, one]

    async def create_refund(self, request: Request) -> Reply:
        """Refund."""
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        promised: list[Refund] = []
        try:
            refunding = partial(self._refund, request, deadline)
            result = await watched(self.http.in_flight, refunding, deadline, promised, _out_of_time)
        finally:
            if promised:
                request.log_fields = refund_fields(promised[0])
        if isinstance(result, RefundPending):
            raise refund_pending(result)
        return reply_of(request, result)

    async def _refund(self, request: Request, deadline: float, on_promised: OnPromised) -> Answered | RefundPending:
        body, asker, payment_id = request[REFUND_BODY], request.asker, request[PAYMENT_ID]
        asked = keyed(request, f"POST {_OF_A_PAYMENT}", body, (payment_id,))
        wanted = RefundRequest(
            refund_id=RefundId(self.ids()),
            payment_id=payment_id,
            tenant_id=asker.tenant_id,
            keeps_keys=await self.read.keeps_keys(asker.tenant_id),
            asked_by=asker.id,
            key=asked.key,
            fingerprint=asked.fingerprint,
            amount_minor=None if body.amount is UNSET else body.amount,
            reason=None if body.reason is UNSET else body.reason,
            traceparent=request[TRACEPARENT],
        )
        return await self.refund(wanted, deadline, on_promised)

    async def list_refunds(self, request: Request) -> Reply:
        """A page of a payment's refunds."""
        asker, payment_id, cursor = request.asker, request[PAYMENT_ID], request[CURSOR]
        of = (_OF_A_PAYMENT, str(payment_id))
        before = None if cursor is None else Place(*queries.position_of(asker.id, cursor, *of))
        reading = self.read.refunds(asker, payment_id, before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(asker.id, page.next, *of)
        return Reply(200, _encode(refunds_shape(page.lines, following)))

    async def get_refund(self, request: Request) -> Reply:
        """One refund."""
        reading = self.read.refund(request.asker, request[REFUND_ID])
        return Reply(200, _encode(refund_shape(await self.http.in_flight.read(reading, self.http.timeout_s))))


def _out_of_time(refund: Refund) -> RefundPending:
    return RefundPending(refund, FailureCode.DEADLINE_EXCEEDED)


_MADE: Final = Success(status=201, description="The refund, completed or refused.", type=RefundShape, example=_EXAMPLE)
_FOUND: Final = Success(
    status=200,
    description="The refund.",
    type=RefundShape,
    example=_EXAMPLE | {"status": "REFUSED", "failure_code": "charge_gone"},
)
_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=RefundsShape,
    example={"refunds": [_EXAMPLE], "next_cursor": None},
)
