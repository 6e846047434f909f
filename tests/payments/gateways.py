"""The gateway's adapter over a server that does what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.contexts.payments.adapters.gateway.persistence import Observer
from app.contexts.payments.adapters.gateway.resilience import ResilientGateway
from app.contexts.payments.domain.outcome import FailureCode
from app.platform.outgoing.transport import Http1Transport
from tests.payments.test_gateway_answers import a_payment, charge_of, tombstone_of
from tests.platform.peers import Peer, Script

ERROR, TIMEOUT = FailureCode.GATEWAY_ERROR, FailureCode.GATEWAY_TIMEOUT
REPLY_AFTER_S = 60.0
PAYMENT = a_payment()
CHARGE = charge_of(PAYMENT)
DECLINED = charge_of(PAYMENT, status="DECLINED", decline_code="DO_NOT_HONOR")
TOMBSTONE = tombstone_of(PAYMENT)


def deadline(within_s: float = REPLY_AFTER_S) -> float:
    return asyncio.get_running_loop().time() + within_s


@asynccontextmanager
async def adapter(
    url: str,
    *,
    timeout_s: float = 10.0,
    attempts: int = 3,
    concurrency: int = 8,
    breaker_failures: int = 100,
    breaker_reset_s: float = 60.0,
    finish_budget_s: float = 1.0,
    observe: Observer | None = None,
) -> AsyncIterator[ResilientGateway]:
    made = ResilientGateway(
        url,
        transport=Http1Transport(connections=2 * concurrency),
        timeout_s=timeout_s,
        attempts=attempts,
        concurrency=concurrency,
        breaker_failures=breaker_failures,
        breaker_reset_s=breaker_reset_s,
        finish_budget_s=finish_budget_s,
        observe=observe,
    )
    try:
        yield made
    finally:
        await made.aclose()


def answering(*answers: tuple[int, bytes] | tuple[int, bytes, str] | Script) -> Script:
    """Each request gets the next answer, the last one for ever; a script takes the connection over."""
    left = list(answers)

    async def script(peer: Peer) -> None:
        while True:
            await peer.read()
            answer = left.pop(0) if len(left) > 1 else left[0]
            if callable(answer):
                return await answer(peer)
            await peer.answer(*answer)

    return script


async def drop(peer: Peer) -> None:
    peer.reset()
