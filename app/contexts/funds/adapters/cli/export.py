"""`strongbox export`, `export check`: the ledger in files, a day each."""

import asyncio
from datetime import date
from pathlib import Path

import click

from app.platform.process.commands import configured, json_option, or_fail, run_stoppable

FORMATS = ("csv", "jsonl", "parquet")


def _day(_: click.Context, __: click.Parameter, value: str | None) -> date | None:
    """A day of the calendar. For the `callback` of an option."""
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day like 2026-01-31") from None


@click.group("export", invoke_without_command=True)
@click.option("--from", "since", callback=_day, metavar="DAY", help="The first day.")
@click.option("--to", "until", callback=_day, metavar="DAY", help="The first day that is left out.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder, made if it is not there.")
@click.pass_context
def export(context: click.Context, since: date | None, until: date | None, format_: str, out: Path | None) -> None:
    """Export the ledger, a file a day (UTC), with a manifest of counts, sums and SHA-256.

    A day is exported once nothing can be added to it. Days that are there are left alone: an export that was ended, or
    killed, goes on where it was.
    """
    if context.invoked_subcommand is not None:
        return
    if since is None or until is None or out is None:
        raise click.UsageError("--from, --to and --out are needed")
    if since >= until:
        raise click.BadParameter("must be a later day than --from: it is left out itself", param_hint="--to")
    if format_ == "parquet":
        _see_to_pyarrow()
    settings = configured("command", "database_url")
    from app.contexts.funds.for_exports import export_days

    async def work(stop: asyncio.Event) -> None:
        async for done in export_days(settings.database_url, since, until, format_, out, stop):
            click.echo(f"{done.day}  {done.entries:>12,} entries  {done.bytes:>14,} bytes  {done.file}")

    run_stoppable(work)


@export.command("check")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@json_option
def export_check(folder: Path, as_json: bool) -> None:
    """Prove that an export is what its manifest says: every file, count, sum and digest.

    Exit code 1 when it is not.
    """
    from app.contexts.funds.adapters.exports.folder import exported
    from app.contexts.funds.application.check_export import check_export
    from app.platform.process.terminal import as_json as text_of

    written = or_fail(lambda: exported(folder))
    if written.format == "parquet":
        _see_to_pyarrow()
    checked = check_export(written)
    if as_json:
        click.echo(text_of(checked))
    else:
        for finding in checked.findings:
            click.echo(finding)
        click.echo(f"{checked.days:,} days, {checked.entries:,} entries: " + ("WRONG" if checked.findings else "ok"))
    raise SystemExit(1 if checked.findings else 0)


def _see_to_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401 -- whether it is there
    except ImportError:
        raise click.UsageError("Parquet needs pyarrow: pip install 'strongbox[parquet]'") from None
