"""/v1/payments: paying, and reading what was paid."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from msgspec import UNSET, json

from app.contexts.funds.public import TransactionId, UserNotFound, WalletNotFound
from app.contexts.payments.adapters.http.answers import pending
from app.contexts.payments.adapters.http.body import NOTED, V1_PAYMENT_BODY, V1PaymentBody
from app.contexts.payments.adapters.http.errors import NO_SUCH_PAYMENT, PAYING, PAYMENT
from app.contexts.payments.adapters.http.operations import Paying, out_of_time
from app.contexts.payments.adapters.http.parameters import (
    FROM,
    METADATA,
    PAYER,
    PAYMENT_ID,
    PROVIDER,
    REFERENCE,
    STATUS,
    TO,
)
from app.contexts.payments.adapters.http.views import (
    PaymentsShape,
    SeenPaymentShape,
    payments_shape,
    seen_shape,
)
from app.contexts.payments.adapters.http.watching import watched
from app.contexts.payments.adapters.shapes import payment_fields
from app.contexts.payments.application.pay import OnReserved
from app.contexts.payments.application.read_payments import READ_SCOPE, Filter, Place, ReadPayments
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.payment import Payment
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.new_ids import Ids
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.errors import validation
from app.platform.http.keyed import keyed, reply_of
from app.platform.http.operations import BEARER, Access, Operation, Request, Success
from app.platform.http.parameters import CURSOR, IDEMPOTENCY_KEY, LIMIT, TRACEPARENT
from app.platform.http.replies import Reply
from app.platform.idempotency.keys import KeyedRequest
from app.platform.idempotency.requests import RequestKeys

TAG: Final = "payments"
WRITE_SCOPE: Final = "payments:write"
PAYMENTS: Final = "/v1/payments"
_PAY: Final = f"POST {PAYMENTS}"

_encode = json.Encoder().encode

EXAMPLE: Final = {
    "payment_id": PAYMENT,
    "transaction_id": "0193a5b2-7c4e-7d11-a1b2-5e8d7c6b4a31",
    "user_id": PAYER.example,
    "provider_id": PROVIDER.example,
    "external_reference": REFERENCE.example,
    "amount": 1250,
    "currency": "USD",
    "status": "APPROVED",
    "failure_code": None,
    "created_at": "2026-01-31T12:00:00.000000Z",
    "finalized_at": "2026-01-31T12:00:00.043210Z",
    "refunded": 0,
    "metadata": NOTED,
}
_MADE: Final = Success(
    status=201,
    description="The payment: approved, or declined with its funds back.",
    type=SeenPaymentShape,
    example=EXAMPLE,
)
_ONE: Final = Success(
    status=200, description="The payment.", type=SeenPaymentShape, example=EXAMPLE | {"refunded": 250}
)
_PAGE: Final = Success(
    status=200,
    description="A page, newest first.",
    type=PaymentsShape,
    example={"payments": [EXAMPLE], "next_cursor": None},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """The handlers, with what they need."""

    pay: Paying
    read: ReadPayments
    keys: RequestKeys
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers of payments to people and machines."""
        create = Operation(
            method="POST",
            template=PAYMENTS,
            name="pay",
            tag=TAG,
            summary="Pay a provider",
            description="Users pay out of their own wallets; a machine says out of whose. At most once for each who "
            "asks and key, however often it is sent: a finished request is answered again with the same bytes and "
            "`Idempotent-Replayed: true`.",
            who=BEARER,
            access=Access(scope=WRITE_SCOPE),
            handler=self.create_payment,
            parameters=(IDEMPOTENCY_KEY, TRACEPARENT),
            body=V1_PAYMENT_BODY,
            successes=(_MADE,),
            refusals=PAYING,
        )
        return [create, *self._reading()]

    def _reading(self) -> Sequence[Operation]:
        several = Operation(
            method="GET",
            template=PAYMENTS,
            name="listPayments",
            tag=TAG,
            summary="Read what was paid",
            description="One's own; admins, and machines with the scope, see the tenant's.",
            who=BEARER,
            access=Access(scope=READ_SCOPE),
            handler=self.list_payments,
            parameters=(STATUS, REFERENCE, PROVIDER, PAYER, FROM, TO, METADATA, LIMIT, CURSOR),
            successes=(_PAGE,),
            refusals=(codes.UNAVAILABLE,),
        )
        one = Operation(
            method="GET",
            template=f"{PAYMENTS}/{{id}}",
            name="getPayment",
            tag=TAG,
            summary="Read a payment",
            who=BEARER,
            access=Access(scope=READ_SCOPE),
            handler=self.get_payment,
            parameters=(PAYMENT_ID,),
            successes=(_ONE,),
            refusals=(NO_SUCH_PAYMENT, codes.UNAVAILABLE),
        )
        return [several, one]

    async def create_payment(self, request: Request) -> Reply:
        """Pay."""
        body = request[V1_PAYMENT_BODY].normal()
        if request.asker.is_machine and body.user_id is UNSET:
            raise validation({"user_id": "is required of a machine"})
        asked = keyed(request, _PAY, body)
        deadline = asyncio.get_running_loop().time() + self.http.timeout_s
        reserved: list[Payment] = []
        try:
            paying = partial(self._pay, request, asked, body, deadline)
            result = await watched(self.http.in_flight, paying, deadline, reserved, out_of_time)
        except WalletNotFound as refusal:
            raise queries.unknown_currency(refusal.currency, self.http.currencies) or refusal from None
        finally:
            if reserved:
                request.log_fields = payment_fields(reserved[0])
        if isinstance(result, StillPending):
            raise pending(result)
        return reply_of(request, result)

    async def list_payments(self, request: Request) -> Reply:
        """A page of those that are asked for."""
        asker, cursor = request.asker, request[CURSOR]
        wanted = Filter(
            status=request[STATUS],
            reference=request[REFERENCE],
            provider_id=request[PROVIDER],
            user_id=request[PAYER],
            since=request[FROM],
            until=request[TO],
            metadata=request[METADATA],
        )
        of = (PAYMENTS, *_words(wanted), "" if asker.role is None else asker.role.value)
        before = None if cursor is None else Place(*queries.position_of(asker.id, cursor, *of))
        reading = self.read.page(asker, wanted, before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(asker.id, page.next, *of)
        return Reply(200, _encode(payments_shape(page.lines, following)))

    async def get_payment(self, request: Request) -> Reply:
        """One payment."""
        reading = self.read.one(request.asker, request[PAYMENT_ID], READ_SCOPE)
        return Reply(200, _encode(seen_shape(*await self.http.in_flight.read(reading, self.http.timeout_s))))

    async def _pay(
        self, request: Request, asked: KeyedRequest, body: V1PaymentBody, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        payer = await self._payer(request, body)
        if payer is None:
            # Nothing can come of it any more; what came of it before is said.
            answered = await self.keys.answer_of(asked)
            if answered is None:
                raise UserNotFound
            return answered
        wanted = PaymentRequest(
            payment_id=PaymentId(self.ids()),
            transaction_id=TransactionId(self.ids()),
            user_id=payer,
            key=asked.key,
            fingerprint=asked.fingerprint,
            provider_id=ProviderId(body.provider_id),
            external_reference=body.external_reference,
            money=Money(body.amount, Currency(body.currency)),
            traceparent=request[TRACEPARENT],
            tenant_id=request.asker.tenant_id,
            asked_by=request.asker.id,
            metadata=None if body.metadata is UNSET else body.metadata,
        )
        return await self.pay(wanted, deadline, on_reserved)

    async def _payer(self, request: Request, body: V1PaymentBody) -> UserId | None:
        """Out of whose wallet is paid: one's own, or that of a user of the machine's tenant."""
        asker = request.asker
        if not asker.is_machine:
            return UserId(asker.id) if body.user_id in (UNSET, asker.id) else None
        assert self.http.people is not None, "somebody was let in"
        named = UUID(str(body.user_id))
        person = await self.http.people.directory.resolve(asker.tenant_id, str(named))
        return None if person is None else person.id


def _words(wanted: Filter) -> Sequence[str]:
    """What is asked for, one word after the other, for a cursor to go by."""
    plain = (
        wanted.status, wanted.reference, wanted.provider_id, wanted.user_id,
        wanted.since and wanted.since.isoformat(), wanted.until and wanted.until.isoformat(),
    )  # fmt: skip
    noted = (f"{key}={value}" for key, value in sorted(wanted.metadata.items()))
    return [*("" if word is None else str(word) for word in plain), *noted]
