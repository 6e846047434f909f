"""Those who are paid."""

from uuid import UUID

from app.contexts.payments.domain.refusals import ProviderExists
from app.platform.postgres.pool import Pool

_ADD = "INSERT INTO service_providers (id, name) VALUES (%b, %b) ON CONFLICT (id) DO NOTHING"
_NAME = "SELECT name FROM service_providers WHERE id = %b"


async def add(pool: Pool, provider_id: UUID, name: str) -> bool:
    """Add an active provider; False when it was there already.

    Raises:
        ProviderExists: the id belongs to a provider of another name.
    """
    async with pool.connection() as connection:
        added = (await connection.execute(_ADD, (provider_id, name))).rowcount == 1
        row = await (await connection.execute(_NAME, (provider_id,))).fetchone()
    assert row is not None
    if row[0] != name:
        raise ProviderExists(row[0])
    return added
