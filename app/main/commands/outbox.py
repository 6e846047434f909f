"""`strongbox outbox`."""

import asyncio
from datetime import UTC, datetime

import click
import msgspec

from app.main import terminal
from app.main.commands.common import (
    Failed,
    configured,
    json_option,
    or_fail,
    queue_names,
    run_stoppable,
    time_of,
    with_broker,
)
from app.main.terminal import ago, moment


@click.group()
def outbox() -> None:
    """Events on their way out, and those that were sent."""


@outbox.command("status")
@json_option
def outbox_status(as_json: bool) -> None:
    """Show what waits in the outbox, who relays it, and since when sent events are kept."""
    from app.adapters.postgres.figures import PostgresFigures
    from app.application.outbox.ports import in_words

    settings = configured("command", "database_url")
    figures = or_fail(lambda: asyncio.run(PostgresFigures(settings.database_url, "", 10.0).outbox()))
    if as_json:
        click.echo(terminal.as_json({**msgspec.to_builtins(figures), "retention_h": settings.outbox_retention_h}))
        return
    waits = f", the oldest for {ago(figures.oldest_unsent_s)}" if figures.depth else ""
    kept = (
        f"{moment(figures.oldest_sent_at)} (for {settings.outbox_retention_h:g} h)" if figures.oldest_sent_at else "-"
    )
    click.echo(f"unsent     {in_words(figures.depth)}{waits}")
    click.echo(f"refused    {figures.failing}" + (f", lately: {figures.last_error}" if figures.last_error else ""))
    click.echo(f"last sent  {terminal.cell(figures.last_sent_at)}")
    click.echo(f"kept from  {kept}\n")
    click.echo(terminal.table(("RELAY", "PARTITIONS"), sorted(figures.leases.items())))
    free = figures.partitions - sum(figures.leases.values())
    if free:
        click.echo(f"{free} of {figures.partitions} partitions have no relay: start `strongbox relay`")


@outbox.command("replay")
@click.option("--from", "since", metavar="TIME", callback=time_of, required=True, help="Like 2026-01-31T12:00:00Z.")
@click.option("--to", "until", metavar="TIME", callback=time_of, help="The time behind the last; default now.")
@click.option(
    "--to-queue", "queue", metavar="QUEUE", required=True, shell_complete=queue_names, help="It has to exist."
)
@click.option("--dry-run", is_flag=True, help="Count the events, and publish nothing.")
@json_option
def outbox_replay(since: datetime, until: datetime | None, queue: str, dry_run: bool, as_json: bool) -> None:
    """Publish events again, straight into one queue: what a consumer lacks, or for a new one.

    Each event has the id that it had: a consumer that knows it does nothing. The outbox stays as it is. Events that
    have left it come from the audit trail. Events that were not sent yet are left to the relay.
    """
    from app.main.operations import actions
    from app.main.replaying import Range, replay_range

    until = until or datetime.now(UTC)
    if until <= since:
        raise click.BadParameter("it has to be later than --from", param_hint="--to")
    settings = with_broker("database_url")
    record, wanted = actions(settings.consumers_url), Range(since, until, queue)
    with terminal.progress_bar(not as_json and terminal.on_a_terminal()) as progress:
        done = run_stoppable(lambda stop: replay_range(settings, record, wanted, dry_run, progress, stop))
    if as_json:
        click.echo(terminal.as_json({"queue": queue, "dry_run": dry_run, **msgspec.to_builtins(done)}))
    else:
        span = f" from {moment(done.first_at)} to {moment(done.last_at)}" if done.first_at and done.last_at else ""
        click.echo(f"{done.events} event(s){span} {'would go' if dry_run else 'published'} into {queue}")
        if done.by_type:
            click.echo(terminal.table(("TYPE", "EVENTS"), sorted(done.by_type.items())))
    if done.stopped:
        again = f" --from {done.last_at.isoformat()}" if done.last_at else ""
        raise Failed(f"stopped before the end; the same again does no harm, or goes on with{again or ' the same'}")
