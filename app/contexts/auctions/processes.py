"""What runs of auctions: beside the API's operations, and in `strongbox recover`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final

import structlog

from app.contexts.auctions.adapters.metrics.auctions import Overdue
from app.contexts.auctions.adapters.metrics.bids import HalfDone, RecoveryMetrics
from app.contexts.auctions.application.close_due import CloseDue, CloseKind, CloseTerms
from app.contexts.auctions.application.recover import Kind, Recover, Terms
from app.contexts.auctions.container import AuctionsContainer
from app.kernel.errors import Unavailable
from app.platform.context import Recovery
from app.platform.idempotency.purge import ExpiredKeys, purging
from app.platform.metrics.gauges import Look, watching
from app.platform.people import People
from app.platform.postgres.lanes import Lanes, drained
from app.platform.process.settings import Settings

RETURN_AFTER_S: Final = 2.0
"""A hold that is for nothing is released at once by whoever decided so; recovery waits so long for that."""
CLOSE_EVERY_S: Final = 0.5
"""An auction is closed within two seconds of its end, whatever RECOVER_EVERY_S is."""
SELLERS_EVERY_S: Final = 5.0
LEASE_S: Final = 10.0
AT_ONCE: Final = 64

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def serving(container: AuctionsContainer) -> AsyncIterator[Sequence[Look]]:
    """Bids are placed meanwhile, and those who watch are told."""
    lanes, watch = _lanes(container), container.watch()
    is_alone = container.database() not in (container.funds.database(), container.ordering.database())
    # Funds and ordering forget the keys of a database that is theirs, too.
    expired = container.expired_keys() if is_alone else None
    looks = (container.batches().watch(lanes), container.watch_metrics().look_at(watch))
    async with _finishing(lanes, expired, looks), watching(watch.run):
        yield looks


def recovery(container: AuctionsContainer, people: People | None) -> Recovery:
    """What is half done is undone, and auctions are closed. Without people there are no tenants."""
    lanes = _lanes(container)
    looks: list[Look] = [container.batches().watch(lanes)]
    if people is None:
        return Recovery(_finishing(lanes, None, looks), ())
    platform: Settings = container.platform.settings()
    metrics, due = RecoveryMetrics(container.registry()), container.due()

    def observe(kind: Kind | CloseKind, what: object, error: Exception | None) -> None:
        metrics.count(kind.value, _result_of(error))
        _note(kind, what, error)

    closer = CloseDue(
        container.due_auctions(),
        people.directory,
        container.close_auction(sales=container.ordering.sales(directory=people.directory)),
        container.give_up_opening(),
        terms=CloseTerms(platform.recover_after_s, LEASE_S, AT_ONCE),
        every_s=CLOSE_EVERY_S,
        observe=observe,
    )
    worker = Recover(
        due,
        people.directory,
        container.clean_up(),
        terms=Terms(platform.recover_after_s, RETURN_AFTER_S, LEASE_S, AT_ONCE),
        every_s=platform.recover_every_s,
        observe=observe,
    )
    looks.append(HalfDone(due, people.directory, container.registry()).look)
    looks.append(Overdue(container.due_auctions(), people.directory, container.registry()).look)
    works = (worker.run, closer.run, partial(closer.look_at_sellers, SELLERS_EVERY_S))
    return Recovery(_finishing(lanes, None, looks), works)


def _lanes(container: AuctionsContainer) -> Mapping[str, Lanes[Any, Any]]:
    return {"auctions": container.steps()}


@asynccontextmanager
async def _finishing(
    lanes: Mapping[str, Lanes[Any, Any]], expired: ExpiredKeys | None, looks: Sequence[Look]
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished."""
    async with AsyncExitStack() as stack:
        if expired is not None:
            await stack.enter_async_context(purging("auctions_key_purge", expired))
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


def _note(kind: Kind | CloseKind, what: object, error: Exception | None) -> None:
    match error:
        case None:
            _log.info("business_recovered", kind=kind.value, id=str(what))
        case Unavailable():
            _log.warning("business_not_recovered", kind=kind.value, id=str(what), why=str(error))
        case _:
            _log.error("business_not_recovered", kind=kind.value, id=str(what), error=type(error).__name__)
