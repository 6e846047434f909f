"""Count who looks at products: in memory, and written down together every few seconds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId

MOST_COUNTED: Final = 100_000
"""Products whose views are kept while they cannot be written. Those of more are lost."""
AT_ONCE: Final = 1_000
"""Products of a statement."""


class Views(Protocol):
    """How often products were looked at."""

    async def add(self, tenant_id: TenantId, views: Mapping[ProductId, int]) -> None:
        """Add so many to those of each.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...


@dataclass(slots=True)
class CountViews:
    """Counts views. What was not written yet ends with the process, if that is killed."""

    views: Views
    _counted: dict[TenantId, Counter[ProductId]] = field(default_factory=dict)

    def viewed(self, tenant_id: TenantId, product_id: ProductId) -> None:
        """Somebody looked at the product."""
        counted = self._counted.get(tenant_id)
        if counted is None:
            counted = self._counted[tenant_id] = Counter()
        if product_id in counted or len(counted) < MOST_COUNTED:
            counted[product_id] += 1

    async def write(self) -> None:
        """Write down what was counted. What cannot be written is counted on.

        Raises:
            Unavailable: some of it could not be written.
        """
        counted, self._counted = self._counted, {}
        for tenant_id in [*counted]:
            await self._write(tenant_id, counted)

    async def _write(self, tenant_id: TenantId, counted: dict[TenantId, Counter[ProductId]]) -> None:
        views = sorted(counted[tenant_id].items())
        for start in range(0, len(views), AT_ONCE):
            try:
                await self.views.add(tenant_id, dict(views[start : start + AT_ONCE]))
            except Unavailable:
                counted[tenant_id] = Counter(dict(views[start:]))
                self._keep(counted)
                raise
        del counted[tenant_id]

    def _keep(self, counted: Mapping[TenantId, Counter[ProductId]]) -> None:
        for tenant_id, views in counted.items():
            kept = self._counted.setdefault(tenant_id, Counter())
            for product_id, count in views.items():
                if product_id in kept or len(kept) < MOST_COUNTED:
                    kept[product_id] += count
