"""The ledger by day, as it is exported."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from typing import Final

from app.contexts.funds.application.export import A_DAY, LedgerLine
from app.platform.postgres.inspection import Session, found
from app.platform.postgres.integrity import rows

# Whoever writes has its transaction's number by the time that it reads the clock, as it has locked something by then:
# so whatever may still come with an older time is among the numbers that are held. When a prepared one began nobody
# knows: it is taken for an hour older than its preparation. Of a session that is another role's neither.
OLDER: Final = """
    SELECT coalesce('prepared transaction ' || p.gid || ' of ' || p.prepared, 'a transaction of ' || a.application_name
                    || ' (process ' || l.pid || ') since ' || coalesce(a.xact_start::text, 'nobody knows when'),
                    'transaction ' || l.transactionid::text)
    FROM pg_locks l
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_prepared_xacts p ON p.transaction = l.transactionid
    WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
        AND coalesce(a.datname, p.database, current_database()) = current_database()
        AND coalesce(a.xact_start, p.prepared - interval '1 hour', '-infinity') < %(end)s
    ORDER BY 1
"""
_IS_OVER: Final = "SELECT clock_timestamp() >= %(end)s"

ENTRIES: Final = """
    SELECT e.created_at, e.transaction_id, e.user_id, t.kind, e.account, e.currency, e.amount, e.balance_after,
           e.wallet_version, t.counterparty, t.payment_id, t.hold_id, t.business_id
    FROM ledger_entries e
    JOIN transactions t ON t.id = e.transaction_id AND t.user_id = e.user_id
    WHERE e.created_at >= %(since)s AND e.created_at < %(until)s
    ORDER BY e.created_at, e.transaction_id, e.user_id, e.account
"""


class PostgresLedgerDays:
    """The ledger over an operator's connection, a transaction a question. It implements `Ledger`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def older_than(self, end: datetime) -> Sequence[str] | None:
        """See `Ledger.older_than`."""
        ((is_over,),) = await found(self._session, _IS_OVER, {"end": end})
        older = [text for (text,) in await found(self._session, OLDER, {"end": end})] if is_over else None
        await self._session.commit()
        return older

    async def entries(self, day: date) -> AsyncIterator[LedgerLine]:
        """See `Ledger.entries`."""
        since = datetime(day.year, day.month, day.day, tzinfo=UTC)
        async for row in rows(self._session, ENTRIES, {"since": since, "until": since + A_DAY}):
            yield LedgerLine._make(row)
        await self._session.commit()
