"""The gateway as the use cases see it: bulkhead( retry( breaker( deadline( call )))).

The bulkhead's slot is taken by whoever brings the payment, before anything is claimed, and held to the end of its
calls. The breaker is inside the retry, so that a gateway that is down is called few times; the deadline is inside the
breaker, so that a gateway that is silent counts as down.

What counts as the gateway's failure: no connection, a reset, silence, 5xx, garbage, and also a 429. A gateway that
answers nothing but 429 is better left alone: a payment refused at the gate costs nobody anything, where one let in
would send it three charges, a question and a void. A 429 among good answers opens nothing: failures count in a row.
Declined and voided are good answers.

Asking and voiding pass by the breaker, in both directions: they must go on while it is open, since they are how an
unknown charge is ever settled, and they tell nothing about whether charges go through.
"""

import asyncio

import httpx
import structlog

from app.contexts.payments.adapters.gateway.bulkhead import Bulkhead
from app.contexts.payments.adapters.gateway.client import GatewayClient
from app.contexts.payments.adapters.gateway.exchange import AttemptFailedError, Exchange
from app.contexts.payments.adapters.gateway.persistence import Observer, Persistence, noting, why
from app.contexts.payments.adapters.gateway.refunds import ResilientRefunds
from app.contexts.payments.domain.outcome import (
    Absent,
    Approved,
    Declined,
    FailureCode,
    Mismatched,
    NotSent,
    Unknown,
    Voided,
)
from app.contexts.payments.domain.payment import Payment
from app.platform.outgoing.breaker import Breaker, BreakerOpenError, BreakerState

_log = structlog.get_logger(__name__)


class ResilientGateway:
    """The ports Gateway and, as its `gate`, Gate. Built once a process; times are in seconds."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.AsyncBaseTransport,
        timeout_s: float,
        attempts: int,
        concurrency: int,
        breaker_failures: int,
        breaker_reset_s: float,
        finish_budget_s: float,
        observe: Observer | None = None,
    ) -> None:
        """Set up; nothing is opened before the first call.

        Args:
            base_url: where the gateway is, a path before `/charges` included.
            transport: what sends requests; closed with this.
            timeout_s: for one charge request in total, or for asking or voiding with its repetition.
            attempts: charge requests at most for one call of `charge`.
            concurrency: the bulkhead's slots.
            breaker_failures: failures in a row that open the breaker.
            breaker_reset_s: how long it stays open before a probe.
            finish_budget_s: what is left of the deadline of `charge` to ask, mark, void and settle.
            observe: told of every finished call.
        """
        self._finish_budget_s = finish_budget_s
        self._exchange = Exchange(base_url, transport)
        self._client = GatewayClient(self._exchange)
        self._persistence = Persistence(timeout_s, attempts, observe)
        self._breaker = Breaker(breaker_failures, breaker_reset_s, tell=tell)
        self.gate = Bulkhead(concurrency, self._breaker)
        of_refunds = Breaker(breaker_failures, breaker_reset_s, tell=tell_of_refunds)
        self.refund_gate = self.gate.beside(of_refunds)
        """The same slots, behind the breaker of refunds: what becomes of charges says nothing of these."""
        self.refunds = ResilientRefunds(self._exchange, self._persistence, of_refunds, finish_budget_s)

    @property
    def breaker_state(self) -> BreakerState:
        """The breaker's state now, for metrics."""
        return self._breaker.state

    async def aclose(self) -> None:
        """Close every connection. Calls still under way end as unknown."""
        await self._exchange.aclose()

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """Charge the payment; repeat what failed while attempts and time allow.

        The first attempt makes do with what time there is before `deadline` minus the finish budget; another is
        begun only if a whole `timeout_s` fits, after the back-off or the Retry-After that the gateway asked for. None
        is made where there is no time left, which is not the gateway's fault.
        """
        loop = asyncio.get_running_loop()
        started, until = loop.time(), deadline - self._finish_budget_s
        failures: list[AttemptFailedError] = []

        async def attempt() -> Approved | Declined | Voided:
            by = min(loop.time() + self._persistence.timeout_s, until)
            return await noting(failures, self._client.charge(payment, by))

        outcome: Approved | Declined | Voided | NotSent | Unknown
        try:
            if started < until:
                outcome = await self._persistence.persist(attempt, until, self._breaker)
            else:
                outcome = NotSent(FailureCode.DEADLINE_EXCEEDED)
        except (AttemptFailedError, BreakerOpenError):
            outcome = Unknown(why(failures)) if any(f.sent for f in failures) else NotSent(why(failures))
        self._persistence.tell("charge", outcome, failures, started)
        return outcome

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """Ask what became of the payment's charge, within `timeout_s` and the deadline."""
        return await self._persistence.repeated("ask", lambda until: self._client.ask(payment, until), deadline)

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See to it that no charge stands for the payment, now or later, within `timeout_s` and the deadline."""
        return await self._persistence.repeated("void", lambda until: self._client.void(payment, until), deadline)


def tell(state: BreakerState, was: BreakerState) -> None:
    """Log a change of the gateway's breaker."""
    _log.warning("gateway_breaker", state=state, was=was)


def tell_of_refunds(state: BreakerState, was: BreakerState) -> None:
    """Log a change of the breaker of refunds."""
    _log.warning("gateway_breaker_of_refunds", state=state, was=was)
