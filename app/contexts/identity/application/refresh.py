"""Renew a session: a refresh token is spent, and answered with its successor.

Of two who show the same token one may be a thief, or both are the same client whose first answer was lost. Within a
short grace it is taken for the client, and told the successor that was made then; afterwards for a theft: the family
ends.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.contexts.identity.application.known_tenants import KnownTenants
from app.contexts.identity.application.open_session import AccessTokens, Pair, seconds
from app.contexts.identity.domain.lives import Lives
from app.contexts.identity.domain.secret import digest, new_token, tenant_of
from app.contexts.identity.domain.user import User
from app.kernel.principal import TenantId
from app.platform.people import NotLetIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A refresh token that was shown, with its family, which is locked. `now` is the database's clock."""

    user: User
    family_id: UUID
    family_ends_at: datetime
    is_over: bool
    """Whether the family has ended, or its user is not active."""
    spent_at: datetime | None
    sealed_successor: bytes | None
    head_hash: bytes | None
    """Of the family's token that is unspent."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Successor:
    """What a spent token is answered with: kept sealed, so that whoever shows it again gets the same."""

    refresh_token: str
    session_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What comes in place of the token that was shown."""

    sealed_successor: bytes
    refresh_hash: bytes
    session_hash: bytes
    session_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    """What becomes of a token that was shown: it is spent, answered again, or refused, and its family may end."""

    shown: Shown
    successor: Successor | None = None
    rotation: Rotation | None = None
    ends_family: bool = False


Decide = Callable[[Shown], Renewal]


class Families(Protocol):
    """Where log-ins are kept, for those who renew them."""

    async def renew(self, tenant_id: TenantId, token_hash: bytes, decide: Decide) -> Renewal | None:
        """Lock the family of the token, and write what is decided: all of it, or nothing.

        None where there is no such token.

        Raises:
            Unavailable: it cannot be done now.
        """
        ...


class Seal(Protocol):
    """Seals what only the holder of a token may read."""

    def close(self, token: str, family_id: UUID, text: str) -> bytes:
        """The text, sealed under a key that is derived from the token."""
        ...

    def open(self, token: str, family_id: UUID, sealed: bytes) -> str:
        """The text."""
        ...


class Refresh:
    """Renews sessions."""

    def __init__(
        self,
        families: Families,
        tenants: KnownTenants,
        seal: Seal,
        tokens: AccessTokens,
        lives: Lives,
        forget: Callable[[UUID], None],
    ) -> None:
        self._families = families
        self._tenants = tenants
        self._seal = seal
        self._tokens = tokens
        self._lives = lives
        self._forget = forget
        self._under_way: dict[bytes, asyncio.Future[Renewal | None]] = {}

    async def __call__(self, host: str, token: str) -> tuple[User, Pair]:
        """Whose it is, and what they are known by from now on. `host` is where it was shown.

        Raises:
            NotLetIn: it is no token, or none for this host, its family has ended, or it was spent and its successor has
                been used as well.
            Unavailable: it cannot be done now.
        """
        tenant_id = tenant_of(token)
        if tenant_id is None or not await self._tenants.admits(host, tenant_id):
            raise NotLetIn
        renewal = await self._renewed(tenant_id, token)
        if renewal is not None and renewal.ends_family:
            self._forget(renewal.shown.user.id)
        if renewal is None or renewal.successor is None:
            raise NotLetIn
        return renewal.shown.user, self._pair(renewal.shown, renewal.successor)

    async def _renewed(self, tenant_id: TenantId, token: str) -> Renewal | None:
        """Those who show one token here at once are answered together: nobody waits for a lock of the others'."""
        key = digest(token)
        under_way = self._under_way.get(key)
        if under_way is None:
            renewing = self._families.renew(tenant_id, key, lambda shown: self._decide(token, shown))
            under_way = self._under_way[key] = asyncio.ensure_future(renewing)
            under_way.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(under_way)

    def _answered(self, key: bytes, done: "asyncio.Future[Renewal | None]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # looked at, even where all who waited have gone

    def _decide(self, token: str, shown: Shown) -> Renewal:
        if shown.is_over:
            return Renewal(shown)
        if shown.spent_at is None:
            return self._rotated(token, shown)
        if not self._lives.is_within_grace(shown.spent_at, shown.now):
            return Renewal(shown, ends_family=True)
        if shown.sealed_successor is not None:
            refresh, session = self._seal.open(token, shown.family_id, shown.sealed_successor).split()
            if digest(refresh) == shown.head_hash:
                return Renewal(shown, Successor(refresh, session))
        return Renewal(shown)  # the successor has been used: whoever has it is known by another

    def _rotated(self, token: str, shown: Shown) -> Renewal:
        tenant_id = shown.user.tenant_id
        successor = Successor(new_token(tenant_id), new_token(tenant_id))
        text = f"{successor.refresh_token} {successor.session_token}"
        rotation = Rotation(
            sealed_successor=self._seal.close(token, shown.family_id, text),
            refresh_hash=digest(successor.refresh_token),
            session_hash=digest(successor.session_token),
            session_ends_at=self._lives.end_of_session(shown.now, shown.family_ends_at),
        )
        return Renewal(shown, successor, rotation)

    def _pair(self, shown: Shown, successor: Successor) -> Pair:
        user, now = shown.user, shown.now
        return Pair(
            access_token=self._tokens.of_user(user.tenant_id, user.id, user.role, shown.family_id, now),
            expires_in_s=int(self._lives.access_s),
            refresh_token=successor.refresh_token,
            refresh_ttl_s=seconds(now, shown.family_ends_at),
            session_token=successor.session_token,
            session_ttl_s=seconds(now, self._lives.end_of_session(now, shown.family_ends_at)),
        )
