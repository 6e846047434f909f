"""What runs of funds: beside the API's operations, and in `strongbox recover`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from app.contexts.funds.container import FundsContainer
from app.platform.context import Recovery
from app.platform.idempotency.purge import ExpiredKeys, purging
from app.platform.metrics.gauges import Look
from app.platform.postgres.lanes import drained
from app.platform.postgres.side_by_side import AnyLanes


def serving(container: FundsContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """Money is moved meanwhile, and keys of `/v1` are forgotten: here they come in, whatever workers there are."""
    lanes: dict[str, AnyLanes] = {
        "perform": container.perform(),
        "close": container.close(),
        "forbid": container.forbid(),
        "send": container.send(),
        "receive": container.receive(),
        "send_bulk": container.send_bulk(),
        "look_back": container.look_back(),
    }
    overdue, metrics = container.overdue(), container.overdue_metrics()

    async def look() -> None:
        metrics.show(await overdue.overdue())

    return _moving(lanes, container.expired_keys(), (container.batches().watch(lanes), look))


def recovery(container: FundsContainer) -> Recovery:
    """What is set aside for no longer is released."""
    lanes = {"close": container.close()}
    return Recovery(_moving(lanes, None, (container.batches().watch(lanes),)), (container.expiry().run,))


@asynccontextmanager
async def _moving(
    lanes: Mapping[str, AnyLanes], expired: ExpiredKeys | None, looks: Sequence[Look]
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished."""
    async with AsyncExitStack() as stack:
        if expired is not None:
            await stack.enter_async_context(purging("request_key_purge", expired))
        await stack.enter_async_context(drained(lanes))
        yield looks
