"""Find people, for the contexts that deal with them: identity's side of the port `Directory`."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from functools import partial
from typing import Final
from uuid import UUID

from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.application.ports import Users
from app.contexts.identity.domain import rules
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId
from app.platform.asked_together import AskedTogether
from app.platform.people import House, Person

_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADDRESS: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")


class FindPeople:
    """Implements `app.platform.people.Directory`. `checksummed` spells an address as EIP-55 does.

    Whoever sends money is looked up in every request: those who are asked for at once share a round trip.
    """

    def __init__(self, users: Users, known: KnownTenants, checksummed: Callable[[str], str]) -> None:
        self._users = users
        self._known = known
        self._checksummed = checksummed
        self._rounds: dict[TenantId, AskedTogether[UUID | str, Person]] = {}

    async def resolve(self, tenant_id: TenantId, text: str) -> Person | None:
        """See `Directory.resolve`. No text is two of the three: usernames are neither UUIDs nor addresses."""
        name = self._name(text)
        if name is None:
            return None
        rounds = self._rounds.get(tenant_id)
        if rounds is None:
            rounds = self._rounds[tenant_id] = AskedTogether(partial(self._active, tenant_id))
        return await rounds.ask(name)

    async def resolve_all(self, tenant_id: TenantId, texts: Collection[str]) -> Mapping[str, Person]:
        """See `Directory.resolve_all`."""
        names = {text: name for text in texts if (name := self._name(text)) is not None}
        found = await self._active(tenant_id, {*names.values()}) if names else {}
        return {text: found[name] for text, name in names.items() if name in found}

    async def names(self, tenant_id: TenantId, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """See `Directory.names`."""
        return {user.id: _person(user) for user in await self._users.some(tenant_id, ids)} if ids else {}

    async def disabled(self, tenant_id: TenantId, ids: Collection[UUID]) -> Set[UUID]:
        """See `Directory.disabled`."""
        return {user.id for user in await self._users.some(tenant_id, ids) if not user.is_active} if ids else set()

    async def tenants(self) -> Sequence[House]:
        """See `Directory.tenants`."""
        return [House(tenant.id, tenant.house_user_id, tenant.name) for tenant in await self._known.all()]

    def _name(self, text: str) -> UUID | str | None:
        """What the text names somebody by, as it is kept."""
        if _ID.fullmatch(text):
            return UUID(text)
        if _ADDRESS.fullmatch(text):
            return self._checksummed(text)
        return text if rules.username(text) else None

    async def _active(self, tenant_id: TenantId, names: Collection[UUID | str]) -> Mapping[UUID | str, Person]:
        """Those of the names that are active users'."""
        ids = [name for name in names if isinstance(name, UUID)]
        texts = [name for name in names if isinstance(name, str)]
        found: dict[UUID | str, Person] = {}
        for user in await self._users.called(tenant_id, ids, texts):
            if user.is_active:
                kept = (user.id, user.username, user.wallet_address)
                found |= {name: _person(user) for name in kept if name is not None}
        return found


def _person(user: User) -> Person:
    return Person(user.id, user.username)
