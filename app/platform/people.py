"""What the platform asks of whoever knows people: the ports that a context fills, if there is one that does."""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from app.kernel.ids import UserId
from app.kernel.principal import Principal, TenantId
from app.kernel.refusals import Refusal


class NotLetIn(Refusal):
    """The credential is none, or no longer one; nothing is said of why."""

    code = "UNAUTHORIZED"

    def __str__(self) -> str:
        return "a valid credential is needed"


class Credential(NamedTuple):
    """What a request shows: the token of `Authorization: Bearer`, or a cookie's, which is looked at without one."""

    token: str
    is_cookie: bool
    host: str
    """The host that the request was sent to: in lower case, without a port."""


class Authenticator(Protocol):
    """Knows who asks."""

    async def authenticate(self, credential: Credential) -> Principal:
        """Who shows this.

        Raises:
            NotLetIn: nobody does, or not on this host. What was revoked a second ago is refused.
            Unavailable: it cannot be known now.
        """
        ...

    async def tenant_of(self, host: str) -> TenantId:
        """Whose host it is; the default tenant's where it is nobody's.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...


class Person(NamedTuple):
    """A user as others may know one."""

    id: UserId
    username: str | None


class House(NamedTuple):
    """A tenant, the user to whom its fees are booked, and what operators call it."""

    tenant_id: TenantId
    house_user_id: UserId
    name: str = ""


class Directory(Protocol):
    """Finds people, each in their tenant."""

    async def resolve(self, tenant_id: TenantId, text: str) -> Person | None:
        """The active user of the tenant with that id, username or wallet address.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def resolve_all(self, tenant_id: TenantId, texts: Collection[str]) -> Mapping[str, Person]:
        """Those of the texts by which `resolve` finds somebody, with whom.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def names(self, tenant_id: TenantId, ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Those of the ids that are users of the tenant.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def disabled(self, tenant_id: TenantId, ids: Collection[UUID]) -> Set[UUID]:
        """Those of the ids that are users of the tenant who are not let in any more.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def tenants(self) -> Sequence[House]:
        """All tenants."""
        ...


@dataclass(frozen=True, slots=True)
class People:
    """Both ports, as one context fills them."""

    authenticator: Authenticator
    directory: Directory
    cookie: str
    """The name of the cookie that a session's token comes in: `__Host-strongbox_session`."""
