"""`strongbox reconcile`: the gateway's report of a day, compared with the books."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from app.contexts.reconciliation.application.advice import advice
from app.contexts.reconciliation.domain.days import day_of
from app.contexts.reconciliation.domain.finding import Finding
from app.contexts.reconciliation.domain.refusals import NotAReport
from app.platform.process import terminal
from app.platform.process.commands import Failed, command_line, configured, json_option, or_fail
from app.platform.process.terminal import cell, table

if TYPE_CHECKING:
    from app.contexts.reconciliation.for_operators import Compared

_DAYS = {"today": timedelta(), "yesterday": timedelta(days=1)}


class NoReport(click.ClickException):
    """Exit code 2, and what is wrong with it."""

    exit_code = 2


class NotDone(click.ClickException):
    """Exit code 3, and why: 1 has to mean findings."""

    exit_code = 3


def _day(_: click.Context, __: click.Parameter, value: str | None) -> Callable[[date], date] | None:
    if value is None:
        return None
    if value in _DAYS:
        return lambda today: today - _DAYS[value]
    try:
        day = day_of(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day like 2026-01-31, today or yesterday") from None
    return lambda _: day


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--date", "choose", metavar="DAY", callback=_day, help="Like 2026-01-31, or today, yesterday; in UTC.")
@click.option("--tenant", default="default", show_default=True, help="Whose payments: the tenant's name.")
@json_option
def reconcile(file: Path | None, choose: Callable[[date], date] | None, tenant: str, as_json: bool) -> None:
    """Compare the gateway's report of a day with the books.

    The report is the one in FILE, or the one that the gateway serves. FILE is of the day of its first line, unless
    --date says another. The same bytes of the same day again are the same run.

    Exit codes: 0 nothing is unresolved; 1 there are findings; 2 it is no report, or the command is wrong; 3 it could
    not be done.
    """
    from app.contexts.reconciliation.for_operators import reconcile as compare

    if file is None and choose is None:
        raise click.UsageError("say which report: FILE, or --date")
    rooms = command_line().rooms(configured("command", "database_url", *([] if file else ["gateway_url"])))

    compared = _done(lambda: asyncio.run(compare(rooms, tenant, choose, file)))
    click.echo(_as_json(compared)) if as_json else terminal.show(_as_text(compared))
    click.get_current_context().exit(1 if compared.run.unresolved else 0)


def _done(compare: "Callable[[], Compared]") -> "Compared":
    """What came of it; exit code 2 where it is no report, or nobody's, and 3 where it could not be compared."""
    from app.platform.tenants import TenantUnknown

    def run() -> "Compared":
        try:
            return compare()
        except NotAReport as error:
            raise NoReport(f"not a report: {error}") from None
        except TenantUnknown as error:
            raise click.BadParameter(str(error), param_hint="--tenant") from None

    try:
        return or_fail(run, OSError)
    except Failed as error:
        raise NotDone(error.message) from None


def _as_json(compared: "Compared") -> str:
    from app.contexts.reconciliation.adapters.shapes import run_shape

    shown = msgspec.to_builtins(run_shape(compared.run))
    return terminal.as_json(shown | {"unresolved": compared.run.unresolved})


def _as_text(compared: "Compared") -> str:
    run = compared.run
    facts = [
        ("day", run.date),
        ("run", run.id),
        ("report", f"{run.lines:,} lines, SHA-256 {run.sha256.hex()}"),
        ("matched", f"{run.matched:,}"),
        ("carried", f"{run.carried:,} left to the next day's run"),
        ("findings", f"{run.findings:,}, {run.unresolved:,} of them unresolved"),
    ]
    lines = [f"{name:<8}  {cell(value)}" for name, value in facts]
    if compared.findings:
        rows = [
            (f.kind.value, "-" if f.line is None else f.line, f.refund_id or f.payment_id, _both(f), _next(f))
            for f in compared.findings
        ]
        lines += ["", table(("WHAT", "LINE", "PAYMENT OR REFUND", "HERE AND THERE", "NEXT"), rows)]
    if run.findings > len(compared.findings):
        lines += ["", f"and {run.findings - len(compared.findings):,} more: the console and the API show them all"]
    return "\n".join(lines)


def _next(finding: Finding) -> str:
    return advice(finding) if finding.resolved_at is None else f"resolved: {finding.note}"


def _both(finding: Finding) -> str:
    ours, theirs = finding.ours, finding.theirs
    here = f"{ours.status} {ours.amount} {ours.currency}" if ours else "-"
    there = f"{theirs.amount} {theirs.currency}" if theirs else "-"
    return f"{here} / {there}"
