"""Change somebody's role, or whether they are let in: for admins, and for operators."""

from dataclasses import dataclass, replace
from uuid import UUID

from app.contexts.identity.application.ports import Users
from app.contexts.identity.domain.account import ALL_SESSIONS, Account, Change, EventType, told
from app.contexts.identity.domain.user import User
from app.kernel.principal import Role, TenantId


@dataclass(frozen=True, slots=True)
class ChangeUser:
    """Changes users."""

    users: Users

    async def __call__(
        self, tenant_id: TenantId, user_id: UUID, role: Role | None = None, is_active: bool | None = None
    ) -> User:
        """The user as they are then; None leaves something as it is. Who is no longer active has no session any more.

        Raises:
            UserNotFound: the tenant has no such user.
            TooManyChanges: they were disabled and enabled as often as can be told of; they can be disabled.
            Unavailable: it cannot be done now.
        """

        def decide(account: Account) -> Change:
            before = account.user
            after = replace(
                before,
                role=before.role if role is None else role,
                is_active=before.is_active if is_active is None else is_active,
            )
            changed = replace(account, user=after)
            if after.is_active == before.is_active:
                return Change(changed)
            event = EventType.ENABLED if after.is_active else EventType.DISABLED
            return Change(told(changed, event), (event,), None if after.is_active else ALL_SESSIONS)

        return await self.users.change(tenant_id, user_id, decide)
