"""Open a session: what a log-in ends with, however somebody has shown who they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.contexts.identity.domain.lives import Lives
from app.contexts.identity.domain.secret import digest, new_token
from app.contexts.identity.domain.user import User
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Role, TenantId
from app.platform.people import NotLetIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What somebody who logged in is known by from now on, and for how many seconds."""

    access_token: str
    expires_in_s: int
    refresh_token: str
    refresh_ttl_s: int
    session_token: str
    session_ttl_s: int
    logged_in_at: datetime | None = None
    """When, if it is a log-in's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFamily:
    """A log-in, as it is kept."""

    tenant_id: TenantId
    id: UUID
    user_id: UserId
    refresh_hash: bytes
    session_hash: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """When a family was opened, by the database's clock, and when it and its session end."""

    at: datetime
    ends_at: datetime
    session_ends_at: datetime


class NewFamilies(Protocol):
    """Where log-ins are kept."""

    async def open(self, family: NewFamily, checked_hash: str | None, lives: Lives) -> Opened | None:
        """Write it, its tokens and when its user logged in last: all of it, or nothing.

        None, and nothing is written, where the user is not active, or `checked_hash` is given and no longer theirs.

        Raises:
            Unavailable: it cannot be written now.
        """
        ...


class AccessTokens(Protocol):
    """Signs what a user is let in by without asking more than whether the log-in still stands."""

    def of_user(self, tenant_id: TenantId, user_id: UserId, role: Role, family_id: UUID, now: datetime) -> str:
        """A token of the log-in, from now on."""
        ...


class OpenSession:
    """Opens sessions."""

    def __init__(self, families: NewFamilies, tokens: AccessTokens, ids: Ids, lives: Lives) -> None:
        self._families = families
        self._tokens = tokens
        self._ids = ids
        self._lives = lives

    async def __call__(self, user: User, checked_hash: str | None = None) -> Pair:
        """A family with its first tokens, for the user, who is noted to have logged in now.

        `checked_hash` is the stored hash that the password was held against. It may have been changed since, which
        ended all families that there were then: this one must not come behind them.

        Raises:
            NotLetIn: the user is no longer active, or has another password by now.
            Unavailable: it cannot be done now; nothing is.
        """
        refresh, session = new_token(user.tenant_id), new_token(user.tenant_id)
        family = NewFamily(
            tenant_id=user.tenant_id,
            id=self._ids(),
            user_id=user.id,
            refresh_hash=digest(refresh),
            session_hash=digest(session),
        )
        opened = await self._families.open(family, checked_hash, self._lives)
        if opened is None:
            raise NotLetIn
        return Pair(
            access_token=self._tokens.of_user(user.tenant_id, user.id, user.role, family.id, opened.at),
            expires_in_s=int(self._lives.access_s),
            refresh_token=refresh,
            refresh_ttl_s=seconds(opened.at, opened.ends_at),
            session_token=session,
            session_ttl_s=seconds(opened.at, opened.session_ends_at),
            logged_in_at=opened.at,
        )


def seconds(now: datetime, until: datetime) -> int:
    """Whole seconds from now until then."""
    return max(0, int((until - now).total_seconds()))
