"""What identity's use cases of people need of the outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.identity.domain.account import Account, Decide, NewUser
from app.contexts.identity.domain.tenant import Tenant
from app.contexts.identity.domain.user import User
from app.kernel.principal import Role, TenantId


class Taken(NamedTuple):
    """What of each kind somebody has already."""

    ids: frozenset[UUID]
    emails: frozenset[str]
    usernames: frozenset[str]
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which users are asked for. `text` is in what they are called, or is their id or address."""

    text: str | None = None
    role: Role | None = None
    is_active: bool | None = None


class Users(Protocol):
    """The users of tenants. Whatever raises nothing else raises Unavailable where it cannot be told or done now."""

    async def by_id(self, tenant_id: TenantId, user_id: UUID) -> Account | None:
        """The user with that id."""
        ...

    async def by_email(self, tenant_id: TenantId, email: str) -> Account | None:
        """The user with that e-mail, in the spelling that is kept."""
        ...

    async def by_address(self, tenant_id: TenantId, address: str) -> Account | None:
        """The user with that address, in its EIP-55 spelling."""
        ...

    async def some(self, tenant_id: TenantId, ids: Collection[UUID]) -> Sequence[User]:
        """Those of the ids that are users of the tenant."""
        ...

    async def called(self, tenant_id: TenantId, ids: Collection[UUID], texts: Collection[str]) -> Sequence[User]:
        """Users of the tenant by their ids, and by what is their username or their address in its EIP-55 spelling."""
        ...

    async def page(
        self, tenant_id: TenantId, filters: Filters, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[User]:
        """Up to `limit` users older than `before` (when one was made, and the id), newest first."""
        ...

    async def taken(self, tenant_id: TenantId, users: Sequence[NewUser]) -> Taken:
        """What these would have that somebody of the tenant has already."""
        ...

    async def add(self, tenant_id: TenantId, users: Sequence[NewUser]) -> Sequence[User]:
        """Add all of them, and tell it, or none.

        Raises:
            EmailTaken, UsernameTaken, AddressTaken, IdTaken: somebody of the tenant has that of one of them.
        """
        ...

    async def change(self, tenant_id: TenantId, user_id: UUID, decide: Decide) -> User:
        """Make of the account what is decided, tell it, and end what is to end; all of it, or nothing.

        Raises:
            UserNotFound: the tenant has no such user.
            EmailTaken, UsernameTaken, AddressTaken: somebody else of the tenant has what it was to be given.
            Refusal: what `decide` refuses with.
        """
        ...

    async def renew_hash(self, tenant_id: TenantId, user_id: UUID, old: str, new: str) -> None:
        """Keep the password's new hash, unless the old one is no longer there."""
        ...


class Tenants(Protocol):
    """The tenants."""

    async def all(self) -> Sequence[Tenant]:
        """All of them, the one that was there from the beginning first.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...

    async def add(self, tenant: Tenant) -> None:
        """Add one.

        Raises:
            TenantTaken: there is one of that name or host.
            Unavailable: it cannot be done now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hashed:
    """A hash, and when its making left the queue, by `time.monotonic`."""

    hash: str
    began_at: float


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password fits, and when it left the queue. `renewed` is a hash of today's kind, if it fits one that is
    not."""

    fits: bool
    renewed: str | None
    began_at: float


class Passwords(Protocol):
    """Makes hashes of passwords, and holds passwords against them: slowly, and not on the core that answers."""

    async def hash(self, password: str) -> Hashed:
        """A hash of the password, which may be one.

        Raises:
            Unavailable: too many wait.
        """
        ...

    async def verify(self, hash: str | None, password: str) -> Verified:
        """Hold the password against the hash. Without one nothing fits, which takes as long.

        Raises:
            Unavailable: too many wait.
        """
        ...


class ProvesAddress(Protocol):
    """Finds out whose address has signed a message of ours."""

    async def __call__(self, tenant_id: TenantId, message: str, signature: str) -> str:
        """The address in its EIP-55 spelling. The nonce in the message is spent.

        Raises:
            Refusal: nobody's has.
            Unavailable: it cannot be known now.
        """
        ...
