"""What `strongbox status` looks at of payments: the gateway, and what recovery leaves behind."""

from collections.abc import Sequence
from functools import partial

from app.contexts.payments.adapters.postgres import pending_refunds
from app.contexts.payments.adapters.postgres.pending import backlog_of
from app.contexts.payments.application.pending import health_of_recovery
from app.platform.operations.health import LATE_S, LOOK_S, Health, Part, State, unset
from app.platform.operations.parts import SEE_TO_POSTGRES, answer_of
from app.platform.postgres.inspection import inspecting

_SEE_TO_THE_GATEWAY = "see to the gateway; payments stay PENDING until it answers"


def parts_of_payments(database_url: str, gateway_url: str, recover_after_s: float) -> Sequence[Part]:
    """The parts."""
    return (
        Part("gateway", partial(_gateway, gateway_url), _SEE_TO_THE_GATEWAY),
        Part("recovery", partial(_recovery, database_url, recover_after_s), SEE_TO_POSTGRES),
        Part("refunds", partial(_refunds, database_url, recover_after_s), SEE_TO_POSTGRES),
    )


async def _gateway(url: str) -> Health:
    if not url:
        return unset("GATEWAY_URL")
    answer = await answer_of(f"{url.rstrip('/')}/health")
    if answer.is_success:
        return Health(State.OK, "answers")
    if answer.status_code in (404, 405):
        return Health(State.OK, "answers; it serves no health")
    return Health(State.DEGRADED, f"its health is {answer.status_code}", _SEE_TO_THE_GATEWAY)


async def _recovery(url: str, recover_after_s: float) -> Health:
    async with inspecting(url, LOOK_S) as books:
        return health_of_recovery(await backlog_of(books, recover_after_s + LATE_S), recover_after_s)


async def _refunds(url: str, recover_after_s: float) -> Health:
    async with inspecting(url, LOOK_S) as books:
        backlog = await pending_refunds.backlog_of(books, recover_after_s + LATE_S)
        return health_of_recovery(backlog, recover_after_s)
