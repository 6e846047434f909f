"""`strongbox outbox`."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from app.platform.process import terminal
from app.platform.process.commands import (
    Failed,
    configured,
    json_option,
    or_fail,
    queue_names,
    run_stoppable,
    time_of,
    with_broker,
)
from app.platform.process.terminal import ago, moment

if TYPE_CHECKING:
    from app.platform.operations.judgement import OutboxFigures


@click.group()
def outbox() -> None:
    """Events on their way out, and those that were sent."""


@outbox.command("status")
@json_option
def outbox_status(as_json: bool) -> None:
    """Show what waits in the outbox, who relays it, and since when sent events are kept."""
    from app.main.outboxes import publications
    from app.platform.postgres.figures import PostgresFigures

    settings = configured("command", "database_url")
    told = publications(settings)

    async def look() -> "list[OutboxFigures]":
        return [await PostgresFigures(url, "", 10.0).outbox(publication.schema) for url, publication in told]

    found = dict(
        zip((publication.schema for _, publication in told), or_fail(lambda: asyncio.run(look())), strict=True)
    )
    if as_json:
        kept = {"retention_h": settings.outbox_retention_h}
        each = [msgspec.to_builtins(figures) | kept for figures in found.values()]
        click.echo(terminal.as_json(each[0] if len(each) == 1 else dict(zip(found, each, strict=True))))
        return
    for name, figures in found.items():
        if len(found) > 1:
            click.echo(f"{'' if name == next(iter(found)) else chr(10)}{name}:")
        _show(figures, settings.outbox_retention_h)


def _show(figures: "OutboxFigures", retention_h: float) -> None:
    from app.platform.messaging.ports import in_words

    waits = f", the oldest for {ago(figures.oldest_unsent_s)}" if figures.depth else ""
    kept = f"{moment(figures.oldest_sent_at)} (for {retention_h:g} h)" if figures.oldest_sent_at else "-"
    terminal.show(f"unsent     {in_words(figures.depth)}{waits}")
    terminal.show(f"refused    {figures.failing}" + (f", lately: {figures.last_error}" if figures.last_error else ""))
    click.echo(f"last sent  {terminal.cell(figures.last_sent_at)}")
    terminal.show(f"kept from  {kept}\n")
    terminal.show(terminal.table(("RELAY", "PARTITIONS"), sorted(figures.leases.items())))
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
    """Publish events again, straight into one queue.

    It brings what a consumer lacks, or feeds a new one. Each event has the id that it had: a consumer that knows it
    does nothing. The outbox stays as it is. Events that have left it come from the audit trail. Events that were not
    sent yet are left to the relay.
    """
    from app.main.outboxes import sources
    from app.platform.operations.replay_range import Range, replay_range
    from app.platform.postgres.operator import actions

    until = until or datetime.now(UTC)
    if until <= since:
        raise click.BadParameter("it has to be later than --from", param_hint="--to")
    settings = with_broker("database_url")
    record, wanted = actions(settings.consumers_url), Range(since, until, queue)
    with terminal.progress_bar(not as_json and terminal.on_a_terminal()) as progress:
        done = run_stoppable(lambda stop: replay_range(sources(settings), record, wanted, dry_run, progress, stop))
    if as_json:
        click.echo(terminal.as_json({"queue": queue, "dry_run": dry_run, **msgspec.to_builtins(done)}))
    else:
        span = f" from {moment(done.first_at)} to {moment(done.last_at)}" if done.first_at and done.last_at else ""
        terminal.show(f"{done.events} event(s){span} {'would go' if dry_run else 'published'} into {queue}")
        if done.by_type:
            terminal.show(terminal.table(("TYPE", "EVENTS"), sorted(done.by_type.items())))
    if done.stopped:
        again = f" --from {done.last_at.isoformat()}" if done.last_at else ""
        raise Failed(f"stopped before the end; the same again does no harm, or goes on with{again or ' the same'}")
