"""What became of attempts is written down, again where that met another."""

from collections.abc import Mapping, Sequence

from app.contexts.webhooks.application.record_attempts import RecordAttempts
from app.contexts.webhooks.application.sending import Ended
from app.contexts.webhooks.domain.endpoint import Reason
from app.contexts.webhooks.domain.ids import EndpointId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import writing
from app.platform.postgres.pool import Pool


class Recorded:
    """Implements `Recording`. What was written without our knowing it changes nothing when it is written again."""

    def __init__(self, record: RecordAttempts, pool: Pool) -> None:
        self._record = record
        self._pool = pool

    @writing
    async def __call__(self, tenant_id: TenantId, ended: Sequence[Ended]) -> Mapping[EndpointId, Reason]:
        """See `RecordAttempts`.

        Raises:
            Unavailable: nobody knows whether it is written.
        """
        return await self._record(tenant_id, ended)
