"""What operators do with the ledger as a whole: export it by day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

from app.contexts.funds.adapters.exports.folder import exporting
from app.contexts.funds.adapters.postgres.ledger_days import PostgresLedgerDays
from app.contexts.funds.application.export import A_DAY, DayDone, Export
from app.platform.postgres.inspection import inspecting


async def export_days(
    database_url: str, since: date, until: date, format_: str, out: Path, stop: asyncio.Event
) -> AsyncIterator[DayDone]:
    """Export the days into the folder, each as it is done.

    Raises:
        NoExport: the folder is not to be used for it.
        DayNotOver, StillOpen, Unavailable: see `Export.run`.
    """
    with exporting(out, format_) as folder:
        async with inspecting(database_url, None) as session:
            export = Export(PostgresLedgerDays(session), folder)
            async for done in export.run(since, until, _end_of, stop):
                yield done


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + A_DAY
