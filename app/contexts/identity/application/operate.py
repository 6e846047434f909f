"""What operators do with people and tenants: add, import, disable."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.contexts.identity.application.change_user import ChangeUser
from app.contexts.identity.application.import_users import ImportUsers
from app.contexts.identity.application.ports import Passwords, Tenants, Users
from app.contexts.identity.domain.account import NewUser
from app.contexts.identity.domain.refusals import TenantNotFound
from app.contexts.identity.domain.tenant import Tenant
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Role, TenantId


@dataclass(frozen=True, slots=True)
class Operate:
    """Does it. Tenants are named; what each may raise beside is said where it is done."""

    users: Users
    tenants: Tenants
    passwords: Passwords
    ids: Ids

    async def add_user(self, tenant: str, email: str, role: Role, password: str) -> User:
        """Add a user whose e-mail is known to be theirs.

        Raises:
            TenantNotFound, EmailTaken, Unavailable: nothing was done.
        """
        tenant_id = (await self._tenant(tenant)).id
        hashed = await self.passwords.hash(password)
        new = NewUser(
            id=UserId(self.ids()),
            tenant_id=tenant_id,
            role=role,
            email=email,
            email_verified=True,
            password_hash=hashed.hash,
        )
        (user,) = await self.users.add(tenant_id, [new])
        return user

    async def import_users(self, tenant: str, users: Sequence[tuple[int, NewUser]]) -> Sequence[User]:
        """Add them all, or none; each has the number of its line. They are of that tenant, whatever they say.

        Raises:
            TenantNotFound, LinesRefused, Refusal, Unavailable: nothing was done.
        """
        tenant_id = (await self._tenant(tenant)).id
        others = [each.id for each in await self.tenants.all() if each.id != tenant_id]
        return await ImportUsers(self.users)(tenant_id, others, users)

    async def disable_user(self, tenant: str, user_id: UUID) -> User:
        """Let the user in nowhere any more.

        Raises:
            TenantNotFound, UserNotFound, Unavailable: nothing was done.
        """
        return await ChangeUser(self.users)((await self._tenant(tenant)).id, user_id, is_active=False)

    async def add_tenant(self, name: str, host: str | None) -> Tenant:
        """Add a tenant.

        Raises:
            TenantTaken, Unavailable: nothing was done.
        """
        tenant = Tenant(TenantId(self.ids()), name, host, UserId(self.ids()))
        await self.tenants.add(tenant)
        return tenant

    async def all_tenants(self) -> Sequence[Tenant]:
        """All of them.

        Raises:
            Unavailable: they cannot be known now.
        """
        return await self.tenants.all()

    async def _tenant(self, name: str) -> Tenant:
        for tenant in await self.tenants.all():
            if tenant.name == name:
                return tenant
        raise TenantNotFound(name)
