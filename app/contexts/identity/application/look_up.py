"""Look somebody up for an operator, by what names them exactly: id, username, e-mail or address, tenant by tenant."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.contexts.identity.application.ports import Tenants, Users
from app.contexts.identity.domain import rules
from app.contexts.identity.domain.refusals import TenantNotFound, UserNotFound
from app.contexts.identity.domain.tenant import Tenant
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId

MOST_TENANTS: Final = 100
"""They are asked one behind the other: with more, one has to be chosen."""

_ADDRESS: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")


class TooManyTenants(Exception):  # noqa: N818 -- it says what to do
    """More than are looked through without one being named."""

    def __init__(self) -> None:
        super().__init__(f"there are more than {MOST_TENANTS} tenants: choose the one to look in")


@dataclass(frozen=True, slots=True)
class LookUp:
    """Looks up. `checksummed` spells an address as EIP-55 does."""

    users: Users
    tenants: Tenants
    checksummed: Callable[[str], str]

    async def tenant(self, name: str) -> Tenant:
        """The tenant of that name.

        Raises:
            TenantNotFound: there is none.
            Unavailable: it cannot be known now.
        """
        for tenant in await self.tenants.all():
            if tenant.name == name:
                return tenant
        raise TenantNotFound(name)

    async def __call__(self, text: str, tenant: str | None) -> Sequence[tuple[Tenant, User]]:
        """Who goes by the text, in that tenant or in all of them; nobody, where it names nobody.

        Raises:
            TenantNotFound, TooManyTenants: nobody was looked for.
            Unavailable: it cannot be known now.
        """
        among = [await self.tenant(tenant)] if tenant else await self.tenants.all()
        if len(among) > MOST_TENANTS:
            raise TooManyTenants
        return [(each, user) for each in among for user in await self._in(each.id, text)]

    async def one(self, text: str, tenant: str) -> User:
        """Who goes by the text in that tenant.

        Raises:
            TenantNotFound, UserNotFound: nobody does.
            Unavailable: it cannot be known now.
        """
        for _, user in await self(text, tenant):
            return user
        raise UserNotFound

    async def _in(self, tenant_id: TenantId, text: str) -> Sequence[User]:
        if (user_id := _id(text)) is not None:
            account = await self.users.by_id(tenant_id, user_id)
        elif _ADDRESS.fullmatch(text):
            account = await self.users.by_address(tenant_id, self.checksummed(text))
        elif (email := rules.email(text)) is not None:
            account = await self.users.by_email(tenant_id, email)
        elif (username := rules.username(text.lower())) is not None:
            return await self.users.called(tenant_id, [], [username])
        else:
            return ()
        return [account.user] if account else ()


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
