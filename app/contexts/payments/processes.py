"""What runs of payments: beside the API's operations, and in `strongbox recover`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog

from app.contexts.payments.adapters.metrics.gauges import looks
from app.contexts.payments.adapters.metrics.recovery import RecoveryMetrics, TimedPending
from app.contexts.payments.adapters.metrics.refunds import RefundRecoveryMetrics
from app.contexts.payments.application.recover import Recover
from app.contexts.payments.application.refund_request import RefundPending
from app.contexts.payments.application.results import Answered, StillPending
from app.contexts.payments.application.settle_refund import SettledRefund
from app.contexts.payments.container import PaymentsContainer
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.settings import PaymentsSettings
from app.kernel.errors import Unavailable
from app.platform.context import Recovery
from app.platform.idempotency.purge import keep_purging
from app.platform.metrics.gauges import Look
from app.platform.postgres.lanes import Lanes, drained
from app.platform.postgres.reads import SharedReads
from app.platform.process.settings import Settings

RECOVERY_CONCURRENCY = 64

_log = structlog.get_logger(__name__)


def serving(container: PaymentsContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """Payments are taken and finished meanwhile."""
    lanes = {**_settling(container), "reserve": container.reserve(), "promise_refund": container.promise()}
    return _finishing(container, lanes, {"read": container.reads()})


def recovery(container: PaymentsContainer) -> Recovery:
    """What was left PENDING is finished, and expired keys are purged."""
    settings: PaymentsSettings = container.settings()
    platform: Settings = container.platform.settings()
    metrics = RecoveryMetrics(container.registry())

    def observe(payment: Payment, result: Answered | StillPending | Exception) -> None:
        metrics.observe(result)
        _note_recovery(payment, result)

    patience: Mapping[str, Any] = {
        "older_than_s": platform.recover_after_s,
        "every_s": platform.recover_every_s,
        "attempt_s": 2 * settings.gateway_timeout_s + 1.0,
        "concurrency": RECOVERY_CONCURRENCY,
    }
    payments = Recover(
        "recovery",
        TimedPending(container.pending(), container.registry()),
        container.recovering(),
        observe=observe,
        **patience,
    )
    refunds = Recover(
        "refund_recovery",
        container.pending_refunds(),
        container.recovering_refund(),
        observe=_observing_refunds(RefundRecoveryMetrics(container.registry())),
        **patience,
    )
    purge = partial(container.pending().purge_keys, platform.idempotency_ttl_h)
    works = (payments.run, refunds.run, partial(keep_purging, "key_purge", purge))
    return Recovery(_finishing(container, _settling(container), {}), works)


def _settling(container: PaymentsContainer) -> Mapping[str, Lanes[Any, Any]]:
    return {"mark": container.mark(), "settle": container.settle(), "settle_refund": container.settle_refund()}


@asynccontextmanager
async def _finishing(
    container: PaymentsContainer, lanes: Mapping[str, Lanes[Any, Any]], others: Mapping[str, SharedReads]
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished: what settles itself, then the lanes, then the gateway's connections."""
    registry = container.registry()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(container.gateway().aclose)
        await stack.enter_async_context(drained(lanes))
        stack.push_async_callback(container.unsettled().end)
        pending, refunds = container.pending(), container.pending_refunds()
        watched = looks(pending, refunds, container.unsettled(), container.gateway(), registry)
        yield (*watched, container.batches().watch({**lanes, **others}))


def _note_recovery(payment: Payment, result: Answered | StillPending | Exception) -> None:
    match result:
        case Answered():
            _log.info("payment_recovered", payment_id=str(payment.id), user_id=str(payment.user_id))
        case StillPending(_, why):
            _log.warning("payment_still_pending", payment_id=str(payment.id), why=why.value)
        case Unavailable():
            _log.warning("payment_not_recovered", payment_id=str(payment.id), why=str(result))
        case error:
            _log.error("payment_not_recovered", payment_id=str(payment.id), error=type(error).__name__)


def _observing_refunds(
    metrics: RefundRecoveryMetrics,
) -> Callable[[Refund, SettledRefund | RefundPending | Exception], None]:
    def observe(refund: Refund, result: SettledRefund | RefundPending | Exception) -> None:
        metrics.observe(result)
        match result:
            case SettledRefund():
                _log.info("refund_recovered", refund_id=str(refund.id), payment_id=str(refund.payment_id))
            case RefundPending(_, why):
                _log.warning("refund_still_pending", refund_id=str(refund.id), why=why.value)
            case Unavailable():
                _log.warning("refund_not_recovered", refund_id=str(refund.id), why=str(result))
            case error:
                _log.error("refund_not_recovered", refund_id=str(refund.id), error=type(error).__name__)

    return observe
