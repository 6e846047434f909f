"""Accounts are opened for users whom nobody has told of, again where that met another."""

from app.contexts.rewards.application.hear import Hear
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import writing
from app.platform.postgres.pool import Pool


class Know:
    """Opens them."""

    def __init__(self, hear: Hear, pool: Pool) -> None:
        self._hear = hear
        self._pool = pool

    @writing
    async def __call__(self, tenant_id: TenantId, user_id: UserId) -> None:
        """See `Hear.know`.

        Raises:
            Unavailable: it cannot be done now.
        """
        await self._hear.know(tenant_id, user_id)
