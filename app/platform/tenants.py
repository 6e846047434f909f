"""The tenants: by what operators call them, and whose the holders of API keys are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.kernel.errors import Unavailable
from app.kernel.principal import TenantId
from app.platform.people import House, People

DEFAULT: Final = "default"
"""The tenant that there always is."""


class TenantUnknown(Exception):  # noqa: N818 -- it says what is not there
    """There is no tenant of that name."""


@dataclass(frozen=True, slots=True)
class KnownTenants:
    """The tenants that whoever knows people knows."""

    people: People | None

    async def all(self) -> Sequence[House]:
        """All of them.

        Raises:
            Unavailable: it cannot be known, now or, with nobody who knows people, at all.
        """
        if self.people is None:
            raise Unavailable("nobody here knows which tenants there are: CONTEXTS lacks identity")
        return await self.people.directory.tenants()

    async def of_user(self, user_id: UUID) -> TenantId | None:
        """The tenant of a user, or of the user that its fees are booked to; None where nobody knows of one.

        Raises:
            Unavailable: it cannot be known now.
        """
        if self.people is None:
            return None
        directory = self.people.directory
        for house in await directory.tenants():
            if user_id == house.house_user_id or user_id in await directory.names(house.tenant_id, [user_id]):
                return house.tenant_id
        return None

    async def called(self, name: str) -> House:
        """The one of that name.

        Raises:
            TenantUnknown: there is none.
            Unavailable: see `all`.
        """
        for house in await self.all():
            if house.name == name:
                return house
        raise TenantUnknown(f"there is no tenant {name!r}")


class TenantOfKeys:
    """Whose those are that hold API_KEYS: the tenant of hosts that are nobody's. That never changes: once it is known
    it is not asked for again.
    """

    def __init__(self, people: People | None) -> None:
        self._people = people
        self._known: TenantId | None = None

    async def __call__(self) -> TenantId | None:
        """The tenant; None where nobody knows people.

        Raises:
            Unavailable: it cannot be known now.
        """
        if self._known is None and self._people is not None:
            self._known = await self._people.authenticator.tenant_of("")
        return self._known
