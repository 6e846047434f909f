"""Users in PostgreSQL."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from app.contexts.identity.adapters.postgres import statements
from app.contexts.identity.adapters.postgres.event_documents import outbox_row
from app.contexts.identity.adapters.postgres.refused import refusing_what_is_taken
from app.contexts.identity.adapters.postgres.rows import account_of
from app.contexts.identity.application.ports import Filters, Taken
from app.contexts.identity.domain.account import Account, Change, Decide, Event, EventType, NewUser
from app.contexts.identity.domain.refusals import UserNotFound
from app.contexts.identity.domain.user import User
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Statement, columns
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

AT_ONCE: Final = 500
"""Users of a statement: with thousands it would take longer than one may."""

_BEFORE_ALL: Final = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
"""No user is newer."""


class PostgresUsers:
    """Implements `Users`. `changed` hears whose account this process has changed."""

    def __init__(
        self, rows: TenantRows, pool: Pool, ids: Ids, changed: Callable[[UUID], None] = lambda _: None
    ) -> None:
        self._rows = rows
        self._pool = pool
        self._ids = ids
        self._changed = changed

    async def by_id(self, tenant_id: TenantId, user_id: UUID) -> Account | None:
        """See `Users.by_id`."""
        return await self._one(tenant_id, statements.BY_ID, user_id)

    async def by_email(self, tenant_id: TenantId, email: str) -> Account | None:
        """See `Users.by_email`."""
        return await self._one(tenant_id, statements.BY_EMAIL, email)

    async def by_address(self, tenant_id: TenantId, address: str) -> Account | None:
        """See `Users.by_address`."""
        return await self._one(tenant_id, statements.BY_ADDRESS, address)

    @reading
    async def _one(self, tenant_id: TenantId, statement: Statement, key: object) -> Account | None:
        (rows,) = await self._rows.run(tenant_id, (statement, (tenant_id, key)))
        return account_of(rows[0]) if rows else None

    @reading
    async def some(self, tenant_id: TenantId, ids: Collection[UUID]) -> Sequence[User]:
        """See `Users.some`."""
        (rows,) = await self._rows.run(tenant_id, (statements.SOME, (tenant_id, list(ids))))
        return [account_of(row).user for row in rows]

    @reading
    async def called(self, tenant_id: TenantId, ids: Collection[UUID], texts: Collection[str]) -> Sequence[User]:
        """See `Users.called`."""
        calls: list[Call] = [(statements.SOME, (tenant_id, [*ids]))] if ids else []
        if texts:
            calls += [
                (each, (tenant_id, [*texts])) for each in (statements.SOME_BY_USERNAME, statements.SOME_BY_ADDRESS)
            ]
        found = await self._rows.run(tenant_id, *calls)
        return [account_of(row).user for rows in found for row in rows]

    @reading
    async def page(
        self, tenant_id: TenantId, filters: Filters, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[User]:
        """See `Users.page`."""
        at, last = before or _BEFORE_ALL
        values = (
            filters.role, filters.is_active, filters.text, _id_in(filters.text), (filters.text or "").lower(),
            tenant_id, at, last, limit,
        )  # fmt: skip
        (rows,) = await self._rows.run(tenant_id, (statements.PAGE, values))
        return [account_of(row).user for row in rows]

    @reading
    async def taken(self, tenant_id: TenantId, users: Sequence[NewUser]) -> Taken:
        """See `Users.taken`."""
        wanted = (
            [user.id for user in users],
            [user.email for user in users if user.email],
            [user.username for user in users if user.username],
            [user.wallet_address for user in users if user.wallet_address],
        )
        (rows,) = await self._rows.run(tenant_id, (statements.TAKEN, (tenant_id, *wanted)))
        ids, emails, usernames, addresses = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Taken(frozenset(ids), frozenset(emails), frozenset(usernames), frozenset(addresses))

    @writing
    async def add(self, tenant_id: TenantId, users: Sequence[NewUser]) -> Sequence[User]:
        """See `Users.add`."""
        with refusing_what_is_taken():
            async with self._rows.open(tenant_id) as transaction:
                first, *others = [_insert(users[start : start + AT_ONCE]) for start in range(0, len(users), AT_ONCE)]
                (rows,), now = await transaction.begin(first)
                for call in others:
                    rows += (await transaction.read(call))[0]
                added = {account.user.id: account for account in map(account_of, rows)}
                accounts = [added[user.id] for user in users]
                events = [event for each in accounts for event in self._events(each, (EventType.REGISTERED,), now)]
                await transaction.commit([statements.OUTBOX.insert([outbox_row(event) for event in events])])
        return [account.user for account in accounts]

    @writing
    async def change(self, tenant_id: TenantId, user_id: UUID, decide: Decide) -> User:
        """See `Users.change`."""
        with refusing_what_is_taken():
            async with self._rows.open(tenant_id) as transaction:
                (rows,), now = await transaction.begin((statements.LOCK, (tenant_id, user_id)))
                if not rows:
                    raise UserNotFound
                change = decide(account_of(rows[0]))
                await transaction.commit(self._writes(change, now))
        self._changed(user_id)
        return change.account.user

    @writing
    async def renew_hash(self, tenant_id: TenantId, user_id: UUID, old: str, new: str) -> None:
        """See `Users.renew_hash`."""
        await self._rows.run(tenant_id, (statements.RENEW_HASH, (new, tenant_id, user_id, old)))

    def _writes(self, change: Change, now: datetime) -> list[Call]:
        user = change.account.user
        calls: list[Call] = [(statements.UPDATE, _changed(change.account))]
        if events := self._events(change.account, change.events, now):
            calls.append(statements.OUTBOX.insert([outbox_row(event) for event in events]))
        if change.ends_sessions_but is not None:
            calls.append((statements.END_SESSIONS, (user.tenant_id, user.id, change.ends_sessions_but)))
        return calls

    def _events(self, account: Account, types: Sequence[EventType], now: datetime) -> list[Event]:
        """The newest of the account's events, which are of these types."""
        user, first = account.user, account.version - len(types) + 1
        return [
            Event(EventId(self._ids()), type_, user.id, user.tenant_id, user.wallet_address, sequence, now)
            for sequence, type_ in enumerate(types, start=first)
        ]


def _insert(users: Sequence[NewUser]) -> Call:
    return statements.INSERT, columns([_row(user) for user in users])


def _row(user: NewUser) -> tuple[object, ...]:
    return (
        user.tenant_id, user.id, user.role, user.username, user.email, user.wallet_address, user.password_hash,
        user.first_name, user.last_name, user.avatar_url, user.phone, user.email_verified, user.is_active,
    )  # fmt: skip


def _changed(account: Account) -> tuple[object, ...]:
    user = account.user
    return (
        user.role, user.username, user.email, user.wallet_address, account.password_hash, user.first_name,
        user.last_name, user.avatar_url, user.phone, user.email_verified, user.is_active, account.version,
        user.tenant_id, user.id,
    )  # fmt: skip


def _id_in(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
