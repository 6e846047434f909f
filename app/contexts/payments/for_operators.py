"""What operators do with payments from the command line."""

from uuid import UUID

from app.contexts.payments.adapters.postgres.providers import add
from app.contexts.payments.container import PaymentsContainer
from app.platform.postgres.operator import record_done, with_pool
from app.platform.process.uuid7 import uuid7


async def add_provider(container: PaymentsContainer, name: str, provider_id: UUID | None) -> UUID:
    """Add an active provider; its id.

    Raises:
        ProviderExists: the id belongs to a provider of another name.
        NotRecorded: it is added, and not in `audit.actions`.
        Unavailable, MigrationError: see `with_pool`.
    """
    new_id, pool = provider_id or uuid7(), container.starting_pool()
    if await with_pool(pool, container.database().url, lambda: add(pool, new_id, name)):
        consumers_url = container.platform.settings().consumers_url
        await record_done(consumers_url, "provider add", {"id": str(new_id), "name": name})
    return new_id
