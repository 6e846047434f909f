"""The use cases behind the API, told how to end."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from app.contexts.funds.application.wallet_reader import Balance, TransactionLine
from app.contexts.funds.domain.refusals import InsufficientFunds, WalletNotFound
from app.contexts.payments.adapters.http.answers import HttpAnswers
from app.contexts.payments.application.pay import OnReserved
from app.contexts.payments.application.request import PaymentRequest, Scope
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, Outcome, Voided
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import GatewayUnavailable, KeyInProgress, ProviderNotFound
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.platform.idempotency.keys import Answer
from app.platform.idempotency.refusals import KeyReused

USER = UUID("6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")
PROVIDER = UUID("2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60")
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)

_OUTCOMES: Mapping[str, Outcome] = {
    "approve": Approved(),
    "decline": Declined("do_not_honor"),
    "gateway-error": Voided(FailureCode.GATEWAY_ERROR),
    "gateway-timeout": Voided(FailureCode.GATEWAY_TIMEOUT),
}
_REFUSALS: Mapping[str, Exception] = {
    "no-provider": ProviderNotFound(),
    "in-progress": KeyInProgress(PaymentId(PROVIDER)),
    "reused": KeyReused(),
    "closed": GatewayUnavailable(7),
    "unavailable": Unavailable("it is away"),
    "bug": RuntimeError("the secret of the house"),
}


class FakePay:
    """Ends each payment as its reference says. `hold` waits for the release before it reserves, `reserved` after."""

    def __init__(self) -> None:
        self.requests: list[PaymentRequest] = []
        self.finished = 0
        self.release = asyncio.Event()
        self._answers = HttpAnswers()
        self._stored: dict[Scope, Answer] = {}

    async def __call__(
        self, request: PaymentRequest, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        """Pay, or not."""
        self.requests.append(request)
        if stored := self._stored.get(request.scope):
            return Answered(stored, replayed=True)
        how = request.external_reference
        if how == "no-wallet":
            raise WalletNotFound(request.money.currency)
        if how in _REFUSALS:
            raise _REFUSALS[how]
        if how == "poor":
            answer = self._answers.refused(InsufficientFunds(request.money.currency, 1, request.money.amount_minor))
            return self._store(request, answer)
        if how == "hold":
            await self.release.wait()
        payment = _payment(request)
        on_reserved(payment)
        if how.startswith("pending"):
            return StillPending(payment, FailureCode(how.removeprefix("pending ")))
        if how == "reserved":
            await self.release.wait()
        final = payment.settle(_OUTCOMES.get(how, Approved()), AT)
        return self._store(request, self._answers.settled(final))

    def _store(self, request: PaymentRequest, answer: Answer) -> Answered:
        self._stored[request.scope] = answer
        self.finished += 1
        return Answered(answer)


class FakeReader:
    """A user with 450 lines in one wallet; one whose books are out of reach; one whose books never answer."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """The balances."""
        if user_id == NOBODY:
            return []
        if user_id.int == 1:
            raise Unavailable("it is away")
        if user_id.int == 2:
            await asyncio.Event().wait()
        return [Balance("EUR", 0, AT), Balance("USD", 2**63 - 1, AT)]

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """The lines."""
        if user_id == NOBODY or currency not in (None, "USD"):
            return []
        start = 451 if before is None else before[1].int
        numbers = range(start - 1, max(0, start - 1 - limit), -1)
        return [
            TransactionLine(UUID(int=n), "PAYMENT", n, "USD", "APPROVED", 450 - n, USER, PROVIDER, f"r{n}", AT)
            for n in numbers
        ]


def _payment(request: PaymentRequest) -> Payment:
    return Payment(
        request.payment_id,
        request.transaction_id,
        request.user_id,
        request.key,
        request.provider_id,
        request.external_reference,
        request.money,
        AT,
        traceparent=request.traceparent,
    )
