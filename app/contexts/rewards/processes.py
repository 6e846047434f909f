"""What runs of rewards: beside the API's operations, and behind their queue."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from app.contexts.rewards.adapters.metrics.cashback import Outstanding
from app.contexts.rewards.adapters.postgres.tables import INBOX
from app.contexts.rewards.container import RewardsContainer
from app.platform.context import Hearing
from app.platform.idempotency.purge import ExpiredKeys, purging
from app.platform.messaging.inbox import Inbox
from app.platform.metrics.gauges import Look
from app.platform.postgres.lanes import Lanes, drained
from app.platform.process.settings import Settings


def serving(container: RewardsContainer) -> AbstractAsyncContextManager[Sequence[Look]]:
    """Purchases and refunds are recorded meanwhile."""
    lanes = {"buy": container.buy(), "take_back": container.take_back()}
    settings: Settings = container.platform.settings()
    # Funds forget the keys of a database that is theirs, too.
    is_alone = "rewards" in settings.homes or "funds" not in settings.sections
    looks: list[Look] = [container.batches().watch(lanes)]
    if (people := container.platform.people()) is not None:
        looks.append(Outstanding(container.figures(), people.directory, container.registry()).look)
    return _finishing(lanes, container.expired_keys() if is_alone else None, looks)


def hearing(container: RewardsContainer) -> Hearing:
    """What is heard has its effect."""
    return Hearing(handle=container.hearing(), inbox=Inbox(INBOX))


@asynccontextmanager
async def _finishing(
    lanes: Mapping[str, Lanes[Any, Any]], expired: ExpiredKeys | None, looks: Sequence[Look]
) -> AsyncIterator[Sequence[Look]]:
    """At the end what was begun is finished."""
    async with AsyncExitStack() as stack:
        if expired is not None:
            await stack.enter_async_context(purging("rewards_key_purge", expired))
        await stack.enter_async_context(drained(lanes))
        yield looks
