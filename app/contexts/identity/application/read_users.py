"""Read users: one by id, or a page of those of a tenant."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app.contexts.identity.application.ports import Filters, Users
from app.contexts.identity.domain.refusals import UserNotFound
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId


class Page(NamedTuple):
    """Users, newest first, and where the next page begins, if there is one."""

    users: list[User]
    next: tuple[datetime, UUID] | None


@dataclass(frozen=True, slots=True)
class ReadUsers:
    """Reads users."""

    users: Users

    async def one(self, tenant_id: TenantId, user_id: UUID) -> User:
        """The user with that id.

        Raises:
            UserNotFound: the tenant has no such user.
            Unavailable: it cannot be known now.
        """
        account = await self.users.by_id(tenant_id, user_id)
        if account is None:
            raise UserNotFound
        return account.user

    async def page(
        self, tenant_id: TenantId, filters: Filters, before: tuple[datetime, UUID] | None, limit: int
    ) -> Page:
        """Up to `limit` of those that are asked for, from `before` on.

        Raises:
            Unavailable: it cannot be known now.
        """
        users = list(await self.users.page(tenant_id, filters, before, limit + 1))
        if len(users) <= limit:
            return Page(users, None)
        last = users[limit - 1]
        return Page(users[:limit], (last.created_at, last.id))
