"""POST /wallets/{user_id}/payments."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from app.contexts.funds.public import TransactionId, WalletNotFound
from app.contexts.payments.adapters.http.answers import code_of, pending
from app.contexts.payments.adapters.http.body import PAYMENT_BODY, fingerprint
from app.contexts.payments.adapters.http.errors import PAYING, PAYMENT
from app.contexts.payments.adapters.http.watching import watched
from app.contexts.payments.adapters.shapes import PaymentShape, payment_fields
from app.contexts.payments.application.pay import OnReserved
from app.contexts.payments.application.read_payments import TenantOfKeys
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.http import queries
from app.platform.http.inflight import InFlight
from app.platform.http.operations import API_KEY, Operation, Request, Success
from app.platform.http.parameters import IDEMPOTENCY_KEY, TRACEPARENT, USER_ID
from app.platform.http.replies import Reply

_REPLAYED = ((b"idempotent-replayed", b"true"),)


class Paying(Protocol):
    """The use case: `app.contexts.payments.application.pay.Pay`."""

    async def __call__(
        self, request: PaymentRequest, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        """Pay."""
        ...


def operations(
    pay: Paying, ids: Ids, in_flight: InFlight, known: AbstractSet[str], timeout_s: float, tenant_of_keys: TenantOfKeys
) -> Sequence[Operation]:
    """What HTTP offers to holders of API keys. `known` are the currencies; a payment is answered within the time."""
    create = Operation(
        method="POST",
        template="/wallets/{user_id}/payments",
        name="createPayment",
        tag="payments",
        summary="Pay a provider out of a wallet",
        description="At most one payment per user and key, however often it is sent. A finished request is answered "
        "again with the same bytes and `Idempotent-Replayed: true`.",
        who=API_KEY,
        handler=_Payments(pay, ids, in_flight, known, timeout_s, tenant_of_keys).create_payment,
        parameters=(USER_ID, IDEMPOTENCY_KEY, TRACEPARENT),
        body=PAYMENT_BODY,
        successes=(
            Success(
                status=201,
                description="The payment: approved, or declined with its funds back.",
                type=PaymentShape,
                example={
                    "payment_id": PAYMENT,
                    "transaction_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
                    "user_id": USER_ID.example,
                    **PAYMENT_BODY.example,
                    "status": "APPROVED",
                    "failure_code": None,
                    "created_at": "2026-01-31T12:00:00.000000Z",
                    "finalized_at": "2026-01-31T12:00:00.043210Z",
                },
            ),
        ),
        refusals=PAYING,
    )
    return [create]


@dataclass(frozen=True, slots=True)
class _Payments:
    """The handler, with what it needs."""

    pay: Paying
    ids: Ids
    in_flight: InFlight
    known: AbstractSet[str]
    timeout_s: float
    tenant_of_keys: TenantOfKeys

    async def create_payment(self, request: Request) -> Reply:
        deadline = asyncio.get_running_loop().time() + self.timeout_s
        reserved: list[Payment] = []
        try:
            wanted = self._wanted(request, await self.tenant_of_keys())
            paying = partial(self.pay, wanted, deadline)
            result = await watched(self.in_flight, paying, deadline, reserved, out_of_time)
        except WalletNotFound as refusal:
            raise queries.unknown_currency(refusal.currency, self.known) or refusal from None
        finally:
            if reserved:
                request.log_fields = payment_fields(reserved[0])
        if isinstance(result, StillPending):
            raise pending(result)
        request.error_code, request.is_replayed = code_of(result.answer), result.replayed
        return Reply(result.answer.status, result.answer.body, _REPLAYED if result.replayed else ())

    def _wanted(self, request: Request, tenant_id: TenantId | None) -> PaymentRequest:
        body = request[PAYMENT_BODY]
        return PaymentRequest(
            PaymentId(self.ids()),
            TransactionId(self.ids()),
            request[USER_ID],
            request[IDEMPOTENCY_KEY],
            fingerprint(body),
            ProviderId(body.provider_id),
            body.external_reference,
            Money(body.amount, Currency(body.currency)),
            request[TRACEPARENT],
            tenant_id,
        )


def out_of_time(payment: Payment) -> StillPending:
    """What is answered of a payment whose request's time is over."""
    return StillPending(payment, FailureCode.DEADLINE_EXCEEDED)
