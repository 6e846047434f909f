"""Have products found by their words in the language that is set now: for operators who have set another one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.principal import TenantId
from app.platform.operations.actions import Actions, recorded
from app.platform.people import House
from app.platform.process.progress import Progress
from app.platform.tenants import KnownTenants

BATCH: Final = 200
"""Products that are looked at together."""


class LookedAt(NamedTuple):
    """How many products were looked at, which of them have other words than they should, and where to go on."""

    products: int
    others: Sequence[ProductId]
    last: ProductId | None


class Words(Protocol):
    """What products are searched by. Raises `Unavailable` where it cannot be told or written now."""

    language: str

    async def count(self, tenant_id: TenantId) -> int:
        """How many products the tenant has."""
        ...

    async def look(self, tenant_id: TenantId, after: ProductId | None, most: int) -> LookedAt:
        """Up to so many products of the tenant's that come behind this one."""
        ...

    async def write(self, tenant_id: TenantId, product_id: ProductId) -> None:
        """Write down the words that a product has now, if it is still there. Whoever changes it, or takes of its stock,
        waits meanwhile.
        """
        ...

    async def forget_pages(self, tenant_id: TenantId) -> None:
        """Have no page shown any more that was found by the words of before."""
        ...


@dataclass(slots=True)
class Reindexed:
    """How many products were looked at, and how many of them got other words; whether it was stopped before the end."""

    products: int = 0
    written: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Reindex:
    """Does it, on record. What has the right words already is not written: the same again goes on where it ended."""

    words: Words
    tenants: KnownTenants

    async def __call__(
        self, actions: Actions, tenant: str | None, progress: Progress, stop: asyncio.Event
    ) -> Reindexed:
        """The products of that tenant, or of all.

        Raises:
            TenantUnknown: there is no such tenant.
            NotRecorded: see `recorded`.
            Unavailable: what was written until then is; the same again goes on.
        """
        houses = await self.tenants.all() if tenant is None else [await self.tenants.called(tenant)]
        details = {"tenants": [house.name for house in houses], "language": self.words.language}
        done = Reindexed()
        async with recorded(actions, "products reindex", details) as outcome:
            for house in houses:
                await self._one(house, done, outcome, progress, stop)
            outcome["stopped"] = done.stopped
        return done

    async def _one(
        self, house: House, done: Reindexed, outcome: dict[str, object], progress: Progress, stop: asyncio.Event
    ) -> None:
        tenant_id, last, seen = house.tenant_id, None, 0
        of = await self.words.count(tenant_id)
        while not stop.is_set():
            found = await self.words.look(tenant_id, last, BATCH)
            try:
                for product_id in found.others:
                    await self.words.write(tenant_id, product_id)
                    done.written += 1
            finally:  # what was written until here is found otherwise
                if found.others:
                    await self.words.forget_pages(tenant_id)
            last, seen, done.products = found.last, seen + found.products, done.products + found.products
            outcome.update(products=done.products, written=done.written)
            progress(f"products of {house.name}", seen, max(of, seen))
            if found.last is None:
                return
        done.stopped = True
