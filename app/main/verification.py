"""`strongbox verify`: every check that the settings reach, run and reported."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self

import click
import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedTable

from app.adapters.gateway.record import NoRecord, gateway_record
from app.adapters.looking import http_client
from app.adapters.postgres.audit_integrity import TrailIsComplete, chain_check
from app.adapters.postgres.collations import collations_that_changed
from app.adapters.postgres.inspection import why
from app.adapters.postgres.integrity import (
    LEDGER,
    TRAIL,
    NobodyRewrites,
    append_only_is_enforced,
    booked_payments,
    checks_of_the_books,
    snapshot,
    time_of,
)
from app.adapters.postgres.pool import hang_up
from app.application.integrity.charges import ChargesMatchPayments
from app.application.integrity.verify import OFFENDERS_NAMED, Check, Finding
from app.application.integrity.verify import verify as run_checks
from app.application.ports import Unavailable
from app.main import terminal
from app.main.settings import Settings


async def verify(settings: Settings, as_json: bool, named: int = OFFENDERS_NAMED) -> int:
    """Run the checks and print the findings, `named` offenders of each. 0 when every claim holds, 1 when one does not.

    SIGTERM ends it as Ctrl-C does.

    Raises:
        Abort: it was ended.
        Unavailable: a database is out of reach, its schema is behind, or it does not let us look.
    """
    notes: list[str] = []
    try:
        with _End() as end:
            async with AsyncExitStack() as stack:
                progress = stack.enter_context(terminal.progress_bar(not as_json and terminal.on_a_terminal()))
                progress("the gateway's record", 0, 1)
                lanes = await _lanes(settings, stack, notes, end)
                findings = await run_checks(lanes, progress, named)
    except (psycopg.OperationalError, UndefinedTable, InvalidSchemaName, InsufficientPrivilege) as error:
        raise Unavailable(why(error)) from error
    click.echo(_json(findings, notes) if as_json else _text(findings, notes))
    return 0 if all(finding.holds for finding in findings) else 1


class _End:
    """SIGTERM and SIGINT end what is done meanwhile, at once, whatever it is that fails then.

    Once there are connections we hang up: a query that is cancelled before its server has begun it would be waited for
    to its end.
    """

    def __init__(self) -> None:
        self.connections: list[AsyncConnection[Any]] = []
        self._came = False

    def __enter__(self) -> Self:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._come, task)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._came:
            raise click.Abort from error

    def _come(self, task: asyncio.Task[Any]) -> None:
        self._came = True
        for connection in self.connections:
            hang_up(connection)
        if not self.connections:
            task.cancel()


async def _lanes(settings: Settings, stack: AsyncExitStack, notes: list[str], end: _End) -> Sequence[Sequence[Check]]:
    # The gateway's record comes first: every charge in it belongs to a payment that was committed before.
    cut = await time_of(settings.database_url)
    record = None
    try:
        if not settings.gateway_url:
            raise NoRecord("GATEWAY_URL is not set")
        client = await stack.enter_async_context(http_client(5.0, settings.gateway_url))
        record = await stack.enter_async_context(gateway_record(client))
    except NoRecord as error:
        notes.append(f"the gateway's record was not compared: {error}")
    # So does the audit trail: every event in it was in the outbox before.
    trails = [await stack.enter_async_context(snapshot(settings.consumers_url)) for _ in range(2)]
    books = [await stack.enter_async_context(snapshot(settings.database_url)) for _ in range(2)]
    end.connections += trails + books
    trails_url = "AUDIT_DATABASE_URL" if settings.audit_database_url else "DATABASE_URL"
    for table, connection, url in ((LEDGER, books[0], "DATABASE_URL"), (TRAIL, trails[0], trails_url)):
        if not await append_only_is_enforced(connection, table):
            notes.append(f"append-only is not enforced on {table}: {url} logs in as the owner or a superuser")
        reordered = await collations_that_changed(connection)
        if reordered and f"{url}: {reordered}" not in notes:
            notes.append(f"{url}: {reordered}")
    in_the_database: list[Check] = [
        *checks_of_the_books(books[0], settings.outbox_retention_h, settings.idempotency_ttl_h),
        NobodyRewrites(books[0], trails[0]),
        chain_check(trails[0]),
    ]
    between_records: list[Check] = [TrailIsComplete(trails[1], books[1])]
    if record is not None:
        between_records.append(ChargesMatchPayments(record.charges, partial(booked_payments, books[1], cut)))
    return in_the_database, between_records


def _json(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    report = {
        "holds": all(finding.holds for finding in findings),
        "checks": [{"holds": finding.holds, **msgspec.to_builtins(finding)} for finding in findings],
        "notes": notes,
    }
    return terminal.as_json(report)


def _text(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.claim}")
        lines.extend(f"          {offender}" for offender in finding.offenders)
        if finding.offences > len(finding.offenders):
            lines.append(f"          … and {finding.offences - len(finding.offenders)} more: --offenders N names more")
    lines.extend(f"note    {note}" for note in notes)
    broken = sum(not finding.holds for finding in findings)
    lines.append(
        f"{broken} of {len(findings)} checks found offenders" if broken else f"all {len(findings)} checks hold"
    )
    return "\n".join(lines)
