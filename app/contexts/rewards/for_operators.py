"""What operators do with cashback from the command line: look."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from app.contexts.rewards.application.tell_cashback import BookedAccount, EntryStory, TellCashback
from app.contexts.rewards.container import RewardsContainer
from app.contexts.rewards.domain.ids import EntryId
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.postgres.operator import with_pools
from app.platform.process.commands import Rooms

T = TypeVar("T")


async def account_of(rooms: Rooms, tenant: str, user_id: UUID, limit: int) -> BookedAccount:
    """Where a user of the tenant of that name stands, with the newest lines.

    Raises:
        TenantUnknown, AccountUnknown: there is none.
        Unavailable: the ledger, or the tenants, are out of reach.
        MigrationError: the schema is behind.
    """
    return await _told(rooms, tenant, lambda tell, id_: tell.of_user(id_, UserId(user_id), None, limit))


async def story_of(rooms: Rooms, tenant: str, user_id: UUID, entry_id: UUID) -> EntryStory:
    """What became of what such a user has earned at once. Raises the same."""
    return await _told(rooms, tenant, lambda tell, id_: tell.of_entry(id_, UserId(user_id), EntryId(entry_id)))


async def _told(rooms: Rooms, tenant: str, ask: Callable[[TellCashback, TenantId], Awaitable[T]]) -> T:
    container: RewardsContainer = rooms.container("rewards")
    tenants, tell = container.tenants(), container.tell_cashback()

    async def told() -> T:
        return await ask(tell, (await tenants.called(tenant)).tenant_id)

    return await with_pools(rooms.pools, container.database().url, told)
