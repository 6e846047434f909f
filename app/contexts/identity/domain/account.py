"""An account: a user with what nobody is shown, and what changes it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.contexts.identity.domain.refusals import TooManyChanges
from app.contexts.identity.domain.user import User
from app.kernel.ids import EventId, UserId
from app.kernel.principal import Role, TenantId


class EventType(StrEnum):
    """What is told of people."""

    REGISTERED = "user.registered"
    ADDRESS_LINKED = "user.address_linked"
    DISABLED = "user.disabled"
    ENABLED = "user.enabled"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a user. `sequence` is its place among the events of that one, from 1 on."""

    id: EventId
    type: EventType
    user_id: UserId
    tenant_id: TenantId
    wallet_address: str | None
    sequence: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody who is not there yet. Whoever has an e-mail may have a password, as a hash."""

    id: UserId
    tenant_id: TenantId
    role: Role = Role.CUSTOMER
    username: str | None = None
    email: str | None = None
    wallet_address: str | None = None
    password_hash: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    avatar_url: str | None = None
    phone: str | None = None
    email_verified: bool = False
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """A user, the password's hash if there is one, and how much was told of them: their newest event's sequence."""

    user: User
    password_hash: str | None
    version: int


ALL_SESSIONS: Final = UUID(int=0)
"""No log-in has this id: all of them end."""


@dataclass(frozen=True, slots=True)
class Change:
    """An account as it is to be, what is told of that, in this order, and which log-ins end with it: all but that one,
    or none where it is None."""

    account: Account
    events: tuple[EventType, ...] = ()
    ends_sessions_but: UUID | None = None


Decide = Callable[[Account], Change]
"""What becomes of an account as it stands, locked. It may refuse by raising."""


MOST_TOLD: Final = 2**15 - 1
"""An event's number has 15 bits, wherever it is kept. The last is for letting somebody in nowhere any more."""


def told(account: Account, *events: EventType) -> Account:
    """The account, once these are told of it.

    Raises:
        TooManyChanges: there is no number left for that.
    """
    version = account.version + len(events)
    if version > MOST_TOLD - (EventType.DISABLED not in events):
        raise TooManyChanges
    return replace(account, version=version)
