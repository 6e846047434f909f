"""POST /wallets/{user_id}/payments."""

import asyncio
from typing import Any

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from app.adapters.http import queries
from app.adapters.http.answers import code_of, pending
from app.adapters.http.decoding import PaymentDecoder
from app.adapters.http.headers import Head, idempotency_key, traceparent
from app.adapters.http.inflight import InFlight
from app.adapters.http.replies import Reply
from app.adapters.http.routing import PAYMENTS, inside
from app.adapters.http.services import HttpOptions, Services
from app.application.payments.results import Answered, StillPending
from app.application.ports import PaymentRequest, Unavailable
from app.domain.ids import PaymentId, TransactionId
from app.domain.payments.payment import Payment
from app.domain.payments.provider import FailureCode
from app.domain.refusals import WalletNotFound

PATIENCE_S = 0.25
"""How long past its deadline a payment's own end is waited for, which says more than that time is up."""

_REPLAYED = ((b"idempotent-replayed", b"true"),)
_NO_PARAMETERS: frozenset[str] = frozenset()


def payments(services: Services, options: HttpOptions, in_flight: InFlight) -> HTTPRouteHandler:
    """The handler that takes payments."""
    decode, known = PaymentDecoder(), options.known_currencies

    @post(inside(PAYMENTS))
    async def create_payment(request: Request[Any, Any, Any]) -> ASGIApp:
        # Read, within its limits, by the layer around Litestar.
        state: dict[str, Any] = request.scope["state"]
        head: Head = state["head"]
        user_id = queries.user_id(state["user"])
        queries.parameters(request.scope["query_string"], _NO_PARAMETERS)
        key = idempotency_key(head)
        order = decode(state["body"])
        deadline = asyncio.get_running_loop().time() + options.request_timeout_s
        state["reserved"] = []
        wanted = PaymentRequest(
            PaymentId(services.ids()),
            TransactionId(services.ids()),
            user_id,
            key,
            order.fingerprint,
            order.provider_id,
            order.external_reference,
            order.money,
            traceparent(head),
        )
        try:
            result = await _pay(services, in_flight, wanted, deadline, state["reserved"])
        except WalletNotFound as refusal:
            raise queries.no_wallet(refusal, refusal.currency, known) from None
        if isinstance(result, StillPending):
            raise pending(result)
        state["code"], state["replayed"] = code_of(result.answer), result.replayed
        return Reply(result.answer.status, result.answer.body, _REPLAYED if result.replayed else ())

    return create_payment


async def _pay(
    services: Services, in_flight: InFlight, request: PaymentRequest, deadline: float, reserved: list[Payment]
) -> Answered | StillPending:
    """Pay, in a task of its own: neither the client's leaving nor the deadline cuts it off half-way.

    The payment is in `reserved` as soon as it exists.
    """
    if in_flight.draining:
        raise Unavailable
    task = in_flight.start(services.pay(request, deadline, reserved.append))
    if await in_flight.wait(task, deadline + PATIENCE_S):
        return task.result()
    if not reserved:
        raise Unavailable
    return StillPending(reserved[0], FailureCode.DEADLINE_EXCEEDED)
