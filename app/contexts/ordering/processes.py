"""What runs of ordering: beside the API's operations, and in `strongbox recover`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import structlog

from app.contexts.ordering.adapters.metrics.checkouts import HalfDone, RecoveryMetrics
from app.contexts.ordering.application.recover import Kind, Recover, Terms
from app.contexts.ordering.container import OrderingContainer
from app.contexts.ordering.settings import OrderingSettings
from app.kernel.errors import Unavailable
from app.platform.context import Recovery
from app.platform.idempotency.purge import ExpiredKeys, purging
from app.platform.metrics.gauges import Look
from app.platform.people import People
from app.platform.postgres.lanes import Lanes, drained
from app.platform.process.settings import Settings

LEASE_S = 10.0
AT_ONCE = 64

_log = structlog.get_logger(__name__)


def serving(container: OrderingContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """Carts are checked out meanwhile, and orders closed."""
    lanes = {
        "change_carts": container.change_carts(),
        "begin_checkout": container.begin(),
        "place_orders": container.place(),
        **_ending(container),
    }
    is_alone = container.database() is not container.funds.database()
    # Funds forget the keys of a database that is theirs, too.
    return _finishing(lanes, container.expired_keys() if is_alone else None, (container.batches().watch(lanes),))


def recovery(container: OrderingContainer, people: People | None) -> Recovery:
    """What is half done is finished, and what comes by itself is done. Without people there are no tenants."""
    lanes = _ending(container)
    looks: list[Look] = [container.batches().watch(lanes)]
    if people is None:
        return Recovery(_finishing(lanes, None, looks), ())
    settings: OrderingSettings = container.settings()
    platform: Settings = container.platform.settings()
    metrics, due = RecoveryMetrics(container.registry()), container.due()

    def observe(kind: Kind, what: object, error: Exception | None) -> None:
        metrics.count(kind.value, _result_of(error))
        _note(kind, what, error)

    worker = Recover(
        due,
        people.directory,
        container.end_checkout(),
        container.close_order(),
        terms=Terms(platform.recover_after_s, settings.order_ship_d, settings.order_complete_d, LEASE_S, AT_ONCE),
        every_s=platform.recover_every_s,
        observe=observe,
    )
    looks.append(HalfDone(due, people.directory, container.registry()).look)
    return Recovery(_finishing(lanes, None, looks), (worker.run,))


def _ending(container: OrderingContainer) -> Mapping[str, Lanes[Any, Any]]:
    return {"conclude_checkout": container.conclude(), "close_order": container.steps()}


@asynccontextmanager
async def _finishing(
    lanes: Mapping[str, Lanes[Any, Any]], expired: ExpiredKeys | None, looks: Sequence[Look]
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished."""
    async with AsyncExitStack() as stack:
        if expired is not None:
            await stack.enter_async_context(purging("ordering_key_purge", expired))
        await stack.enter_async_context(drained(lanes))
        yield looks


def _result_of(error: Exception | None) -> str:
    match error:
        case None:
            return "done"
        case Unavailable():
            return "unavailable"
        case _:
            return "failed"


def _note(kind: Kind, what: object, error: Exception | None) -> None:
    match error:
        case None:
            _log.info("business_recovered", kind=kind.value, id=str(what))
        case Unavailable():
            _log.warning("business_not_recovered", kind=kind.value, id=str(what), why=str(error))
        case _:
            _log.error("business_not_recovered", kind=kind.value, id=str(what), error=type(error).__name__)
