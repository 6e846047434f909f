"""The gateway's refunds: the contract, one request at a time, and how often it is asked.

A refund's id is the gateway's idempotency key: sent again, the money is given back once. So what has no outcome is sent
again under the same id, and never under another. Anything that is not exactly an answer of the contract is no outcome.
"""

import asyncio
from uuid import UUID

import msgspec

from app.contexts.payments.adapters.gateway.exchange import (
    Answer,
    AttemptFailedError,
    Exchange,
    Word,
    decode,
    not_an_outcome,
)
from app.contexts.payments.adapters.gateway.persistence import Persistence, noting, why
from app.contexts.payments.domain.outcome import (
    CHARGE_GONE,
    Absent,
    FailureCode,
    Refunded,
    RefundOutcome,
    RefundRefused,
    Unknown,
)
from app.contexts.payments.domain.refund import Refund
from app.platform.outgoing.breaker import Breaker, BreakerOpenError


class _Refund(msgspec.Struct, tag_field="status"):
    refund_id: UUID
    payment_id: UUID
    amount: int
    currency: str
    code: Word | None

    def is_(self, refund: Refund) -> bool:
        return (self.refund_id, self.payment_id, self.amount, self.currency) == (
            refund.id,
            refund.payment_id,
            refund.money.amount_minor,
            refund.money.currency,
        )


class _Refunded(_Refund, tag="REFUNDED"):
    pass


class _Refused(_Refund, tag="REFUSED"):
    pass


class _Gone(msgspec.Struct):
    """The charge does not stand."""

    payment_id: UUID
    status: str


_REFUND = msgspec.json.Decoder(_Refunded | _Refused)
_GONE = msgspec.json.Decoder(_Gone)


class RefundClient:
    """Speaks the contract. Every call raises AttemptFailedError for whatever is not an outcome."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def refund(self, refund: Refund, deadline: float) -> RefundOutcome:
        """Have the money given back, once."""
        wanted = {"refund_id": refund.id, "amount": refund.money.amount_minor, "currency": refund.money.currency}
        headers = [(b"Idempotency-Key", str(refund.id).encode()), (b"Content-Type", b"application/json")]
        answer = await self._exchange.send(
            "POST", self._refunds_of(refund), refund.traceparent, deadline, headers, msgspec.json.encode(wanted)
        )
        if answer.status in (200, 201):
            return _outcome(refund, answer)
        if answer.status == 409:
            gone = decode(_GONE, answer)
            if gone.payment_id == refund.payment_id and gone.status != "APPROVED":
                return RefundRefused(CHARGE_GONE)
        raise not_an_outcome(answer)

    async def ask(self, refund: Refund, deadline: float) -> RefundOutcome | Absent:
        """Ask what became of the refund."""
        url = f"{self._refunds_of(refund)}/{refund.id}"
        answer = await self._exchange.send("GET", url, refund.traceparent, deadline)
        if answer.status == 404:
            return Absent()
        if answer.status == 200:
            return _outcome(refund, answer)
        raise not_an_outcome(answer)

    def _refunds_of(self, refund: Refund) -> str:
        return f"{self._exchange.charges}/{refund.payment_id}/refunds"


def _outcome(refund: Refund, answer: Answer) -> RefundOutcome:
    found = decode(_REFUND, answer)
    if not found.is_(refund):
        raise not_an_outcome(answer)
    return Refunded() if isinstance(found, _Refunded) else RefundRefused(found.code or "REFUSED")


class ResilientRefunds:
    """The port RefundGateway. Times are in seconds; see `ResilientGateway`."""

    def __init__(self, exchange: Exchange, persistence: Persistence, breaker: Breaker, finish_budget_s: float) -> None:
        self._client = RefundClient(exchange)
        self._persistence = persistence
        self._breaker = breaker
        self._finish_budget_s = finish_budget_s

    async def refund(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """Ask for the money, again while attempts and time allow; what is left then is recovery's."""
        loop = asyncio.get_running_loop()
        started, until = loop.time(), deadline - self._finish_budget_s
        failures: list[AttemptFailedError] = []

        async def attempt() -> RefundOutcome:
            by = min(loop.time() + self._persistence.timeout_s, until)
            return await noting(failures, self._client.refund(refund, by))

        outcome: RefundOutcome | Unknown
        try:
            if started < until:
                outcome = await self._persistence.persist(attempt, until, self._breaker)
            else:
                outcome = Unknown(FailureCode.DEADLINE_EXCEEDED)
        except (AttemptFailedError, BreakerOpenError):
            outcome = Unknown(why(failures))
        self._persistence.tell("refund", outcome, failures, started)
        return outcome

    async def ask(self, refund: Refund, deadline: float) -> RefundOutcome | Absent | Unknown:
        """Ask what became of the refund, within `timeout_s` and the deadline."""
        return await self._persistence.repeated("ask_refund", lambda until: self._client.ask(refund, until), deadline)

    async def repeat(self, refund: Refund, deadline: float) -> RefundOutcome | Unknown:
        """Ask for the money under the same id, within `timeout_s` and the deadline, whatever the breaker says."""
        return await self._persistence.repeated("refund", lambda until: self._client.refund(refund, until), deadline)
