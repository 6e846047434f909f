"""What somebody has found out about a finding, on record."""

from dataclasses import dataclass

from app.contexts.reconciliation.application.ports import Resolutions
from app.contexts.reconciliation.domain.finding import Finding
from app.contexts.reconciliation.domain.ids import FindingId
from app.contexts.reconciliation.domain.refusals import FindingNotFound
from app.kernel.principal import TenantId
from app.platform.operations.actions import Actions, recorded

ACTION = "reconciliation resolve"
MOST_OF_A_NOTE = 500


@dataclass(frozen=True, slots=True)
class ResolveFinding:
    """Resolves findings. A note that was there is replaced: `audit.actions` has them all."""

    resolutions: Resolutions

    async def __call__(self, actions: Actions, tenant_id: TenantId, finding_id: FindingId, note: str) -> Finding:
        """The finding, resolved.

        Raises:
            FindingNotFound: the tenant has no such finding.
            NotRecorded: see `recorded`.
            Unavailable: the database is out of reach.
        """
        if await self.resolutions.finding(tenant_id, finding_id) is None:
            raise FindingNotFound
        details = {"tenant_id": str(tenant_id), "finding_id": str(finding_id), "note": note}
        async with recorded(actions, ACTION, details):
            finding = await self.resolutions.resolve(tenant_id, finding_id, note)
        assert finding is not None, "findings stay"
        return finding
