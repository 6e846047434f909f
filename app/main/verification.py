"""`strongbox verify`: every check that the settings reach, run and reported."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import click
import httpx
import msgspec
import psycopg

from app.adapters.gateway.record import GatewayRecord
from app.adapters.postgres.audit_integrity import checks_of_the_audit_trail
from app.adapters.postgres.integrity import append_only_is_enforced, booked_payments, checks_of_the_books, snapshot
from app.application.integrity.charges import ChargesMatchPayments
from app.application.integrity.verify import Check, Finding
from app.application.integrity.verify import verify as run_checks
from app.application.ports import Unavailable
from app.main.migrations import MigrationError
from app.main.settings import Settings


async def verify(settings: Settings, as_json: bool) -> int:
    """Run the checks and print the findings. 0 when every claim holds, 1 when one does not.

    Raises:
        Unavailable: a database is out of reach.
        MigrationError: its schema is behind.
    """
    show_progress = not as_json and sys.stderr.isatty()

    def began(check: Check) -> None:
        if show_progress:
            click.echo(f"\r\x1b[K… {check.name}", nl=False, err=True)

    notes: list[str] = []
    try:
        async with AsyncExitStack() as stack:
            checks = await _checks(settings, stack, notes)
            findings = await run_checks(checks, began)
    except psycopg.OperationalError as error:
        raise Unavailable("the database cannot be reached") from error
    except psycopg.errors.UndefinedTable as error:
        raise MigrationError(f"{error.diag.message_primary}: run `strongbox migrate up` first") from error
    if show_progress:
        click.echo("\r\x1b[K", nl=False, err=True)
    click.echo(_json(findings, notes) if as_json else _text(findings, notes))
    return 0 if all(finding.holds for finding in findings) else 1


async def _checks(settings: Settings, stack: AsyncExitStack, notes: list[str]) -> Sequence[Check]:
    # The gateway's record comes first: every charge in it belongs to a payment that was committed before.
    gateway = GatewayRecord(await stack.enter_async_context(_client(settings.gateway_url)))
    record = await gateway.charges() if settings.gateway_url else None
    # So does the audit trail: every event in it was in the outbox before.
    trail = await stack.enter_async_context(snapshot(settings.consumers_url))
    books = await stack.enter_async_context(snapshot(settings.database_url))
    if not await append_only_is_enforced(books):
        notes.append("append-only is not enforced: DATABASE_URL logs in as the owner or a superuser")
    checks: list[Check] = [
        *checks_of_the_books(books, settings.outbox_retention_h),
        *checks_of_the_audit_trail(trail, books),
    ]
    if record is None:
        notes.append("the gateway's record was not compared: GATEWAY_URL does not serve one")
    else:
        checks.append(ChargesMatchPayments(record, partial(booked_payments, books), gateway.status))
    return checks


def _client(base_url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, timeout=5.0, trust_env=False)


def _json(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    report = {
        "holds": all(finding.holds for finding in findings),
        "checks": [{"holds": finding.holds, **msgspec.to_builtins(finding)} for finding in findings],
        "notes": notes,
    }
    return msgspec.json.format(msgspec.json.encode(report)).decode()


def _text(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    lines = []
    for finding in findings:
        lines.append(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.claim}")
        lines.extend(f"          {offender}" for offender in finding.offenders)
        if finding.offences > len(finding.offenders):
            lines.append(f"          … and {finding.offences - len(finding.offenders)} more")
    lines.extend(f"note    {note}" for note in notes)
    broken = sum(not finding.holds for finding in findings)
    lines.append(
        f"{broken} of {len(findings)} checks found offenders" if broken else f"all {len(findings)} checks hold"
    )
    return "\n".join(lines)
