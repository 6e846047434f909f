"""What operators do about somebody in the console, on record: end log-ins, disable, enable. No detail is personal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.identity.application.change_user import ChangeUser
from app.contexts.identity.application.ports import Users
from app.contexts.identity.domain.account import ALL_SESSIONS, Change
from app.contexts.identity.domain.tenant import Tenant
from app.kernel.principal import TenantId
from app.platform.operations.actions import Actions, recorded


class LogInLine(NamedTuple):
    """A log-in of somebody. `is_over`: it has ended, or its time is over."""

    id: UUID
    began_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    is_over: bool


class LogIns(Protocol):
    """The log-ins of people. Raises `Unavailable` where it cannot be told or done now."""

    async def page(
        self, tenant_id: TenantId, user_id: UUID, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[LogInLine]:
        """Up to `limit` of somebody's older than `before` (when one began, and its id), newest first."""
        ...

    async def end(self, tenant_id: TenantId, user_id: UUID, log_in_id: UUID) -> bool:
        """End one of somebody's; False where there is none of that id that stands."""
        ...


class LogInNotFound(Exception):  # noqa: N818 -- it says what is not there
    """Nothing to end."""

    def __init__(self) -> None:
        super().__init__("there is no such log-in, or it has ended")


@dataclass(frozen=True, slots=True)
class OperateOnPeople:
    """Does it. Each raises `NotRecorded` where nothing was done, or its end is not recorded; and `Unavailable`."""

    users: Users
    log_ins: LogIns

    async def end(self, actions: Actions, tenant: Tenant, user_id: UUID, log_in_id: UUID) -> None:
        """End a log-in, with its tokens and its session.

        Raises:
            LogInNotFound: there is none that stands.
        """
        details = {"user_id": str(user_id), "tenant": tenant.name, "log_in_id": str(log_in_id)}
        async with recorded(actions, "session end", details):
            if not await self.log_ins.end(tenant.id, user_id, log_in_id):
                raise LogInNotFound

    async def end_all(self, actions: Actions, tenant: Tenant, user_id: UUID) -> None:
        """End all log-ins of somebody.

        Raises:
            UserNotFound: the tenant has no such user.
            TooManyChanges: they cannot be let in again.
        """
        async with recorded(actions, "session end-all", {"user_id": str(user_id), "tenant": tenant.name}):
            await self.users.change(tenant.id, user_id, lambda account: Change(account, (), ALL_SESSIONS))

    async def set_active(self, actions: Actions, tenant: Tenant, user_id: UUID, is_active: bool) -> None:
        """Let somebody in again, or nowhere any more, which ends all of their log-ins.

        Raises:
            UserNotFound: the tenant has no such user.
        """
        action = "user enable" if is_active else "user disable"
        async with recorded(actions, action, {"user_id": str(user_id), "tenant": tenant.name}):
            await ChangeUser(self.users)(tenant.id, user_id, is_active=is_active)
