"""What the database has of somebody's cashback."""

from typing import Final

from app.contexts.rewards.adapters.postgres.entry_rows import ENTRY_COLUMNS, LINE_COLUMNS, entry_of, line_of
from app.contexts.rewards.adapters.postgres.ledger import BEFORE_ALL
from app.contexts.rewards.adapters.postgres.purchase_rows import PURCHASE_COLUMNS, purchase_of
from app.contexts.rewards.adapters.postgres.user_rows import USER_COLUMNS, standing_of
from app.contexts.rewards.application.ports import LedgerLine, Place
from app.contexts.rewards.application.tell_cashback import BookedAccount, BookedEntry
from app.contexts.rewards.domain.ids import EntryId, RuleId
from app.contexts.rewards.domain.sale import Source
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.operations.trail import WrittenEvent
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.inspection import found, inspecting, see_tenant

LOOK_S: Final = 5.0

USER: Final = f"""
    SELECT {USER_COLUMNS} FROM rewards.users u
    WHERE u.bucket = %(bucket)s AND u.tenant_id = %(tenant_id)s AND u.user_id = %(user_id)s
"""
LINES: Final = f"""
    SELECT e.source, e.merchant, e.reference, e.rule_id, {LINE_COLUMNS}
    FROM (
        SELECT * FROM rewards.cashback_ledger l
        WHERE l.tenant_id = %(tenant_id)s AND l.user_id = %(user_id)s AND (l.created_at, l.id) < (%(at)s, %(id)s)
        ORDER BY l.created_at DESC, l.id DESC LIMIT %(limit)s
    ) l
    JOIN rewards.entries e ON e.bucket = l.bucket AND e.user_id = l.user_id AND e.id = l.entry_id
    ORDER BY l.created_at DESC, l.id DESC
"""
ENTRY: Final = f"""
    SELECT {ENTRY_COLUMNS} FROM rewards.entries e
    WHERE e.bucket = %(bucket)s AND e.tenant_id = %(tenant_id)s AND e.user_id = %(user_id)s AND e.id = %(entry_id)s
"""
PURCHASE: Final = f"""
    SELECT {PURCHASE_COLUMNS} FROM rewards.purchases p WHERE p.tenant_id = %(tenant_id)s AND p.id = %(purchase_id)s
"""
OF_ENTRY: Final = f"""
    SELECT {LINE_COLUMNS} FROM rewards.cashback_ledger l
    WHERE l.bucket = %(bucket)s AND l.tenant_id = %(tenant_id)s AND l.user_id = %(user_id)s
        AND l.entry_id = %(entry_id)s
    ORDER BY l.created_at, l.id
"""
EVENTS: Final = """
    SELECT event_id, type, sequence, created_at, sent_at, attempts, retry_at, last_error
    FROM rewards.outbox_events WHERE subject = %(entry_id)s ORDER BY sequence
"""


class PostgresCashbackStories:
    """Implements `StoryRecords`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def account(
        self, tenant_id: TenantId, user_id: UserId, before: Place | None, limit: int
    ) -> BookedAccount | None:
        """See `StoryRecords.account`."""
        at, line_id = before or BEFORE_ALL
        known = _of(tenant_id, user_id) | {"at": at, "id": line_id, "limit": limit}
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            users = await found(session, USER, known)
            lines = await found(session, LINES, known) if users else []
        if not users:
            return None
        return BookedAccount(
            standing_of(users[0]),
            [
                LedgerLine(line_of(tuple(line)), Source(source), merchant, reference, RuleId(rule_id))
                for source, merchant, reference, rule_id, *line in lines
            ],
        )

    async def entry(self, tenant_id: TenantId, user_id: UserId, entry_id: EntryId) -> BookedEntry | None:
        """See `StoryRecords.entry`."""
        known = _of(tenant_id, user_id) | {"entry_id": entry_id}
        async with inspecting(self._url, LOOK_S) as session:
            await see_tenant(session, tenant_id)
            rows = await found(session, ENTRY, known)
            if not rows:
                return None
            entry = entry_of(rows[0])
            (user,) = await found(session, USER, known)
            (purchase,) = await found(session, PURCHASE, known | {"purchase_id": entry.purchase_id})
            lines = await found(session, OF_ENTRY, known)
            events = await found(session, EVENTS, known)
        return BookedEntry(
            standing=standing_of(user),
            entry=entry,
            purchase=purchase_of(purchase),
            lines=[line_of(row) for row in lines],
            events=[WrittenEvent(*row) for row in events],
        )


def _of(tenant_id: TenantId, user_id: UserId) -> dict[str, object]:
    return {"tenant_id": tenant_id, "user_id": user_id, "bucket": bucket_of(user_id)}
