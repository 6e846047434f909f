"""Forget what is older than it is kept: deliveries with their attempts, then the events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.kernel.principal import TenantId
from app.platform.process.rounds import Rounds
from app.platform.process.waiting import pause

EVERY_S: Final = 600.0
BATCH: Final = 1_000
EVENTS_LONGER_D: Final = 3
"""Days that an event is kept beyond its deliveries: one that is sent anew on its last day takes as long at the most."""


class Retention(Protocol):
    """Old rows. Everything raises Unavailable where it cannot be done now."""

    async def tenants(self) -> Sequence[TenantId]:
        """All that there ever was something of."""
        ...

    async def forget(self, tenant_id: TenantId, older_than_d: int, events_older_than_d: int, limit: int) -> int:
        """Delete up to so many of each kind of a tenant's; how many of the kind with the most."""
        ...


@dataclass(frozen=True, slots=True)
class CleanUp:
    """Forgets it, now and then."""

    retention: Retention
    keep_d: int

    async def __call__(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        rounds = Rounds("clean_up_webhooks")
        while not stop.is_set():
            with rounds.survived():
                await self.once(stop)
            await pause(rounds.wait_s(EVERY_S), stop)

    async def once(self, stop: asyncio.Event) -> None:
        """All that is old now."""
        for tenant_id in await self.retention.tenants():
            deleted = BATCH
            while deleted == BATCH and not stop.is_set():
                deleted = await self.retention.forget(tenant_id, self.keep_d, self.keep_d + EVENTS_LONGER_D, BATCH)
