"""`strongbox dlq`."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import click
import msgspec

from app.platform.messaging.dead_letter_ports import DeadLetter, DeadLetters
from app.platform.process import terminal
from app.platform.process.commands import (
    Failed,
    Whole,
    json_option,
    or_fail,
    queue_names,
    run_stoppable,
    settings_with,
    text,
    with_broker,
)
from app.platform.process.settings import Settings
from app.platform.process.terminal import cell

SHOWN = 65_536
"""Octets of a body that are shown."""


def _known(_: click.Context, __: click.Parameter, queue: str | None) -> str | None:
    if queue is not None and not queue.endswith(".queue"):
        raise click.BadParameter(f"{queue!r} is none of {', '.join(queue_names())}, nor another consumer's NAME.queue")
    return queue


_queue = click.option(
    "--queue",
    metavar="QUEUE",
    callback=_known,
    shell_complete=queue_names,
    help="The queue that they died in, a consumer of your own's, too; else all that this house has.",
)


@click.group()
def dlq() -> None:
    """Dead letters: messages that their consumer gave up."""


def _letters(settings: Settings) -> DeadLetters:
    from app.main.outboxes import exchanges
    from app.platform.rabbitmq.connection import split
    from app.platform.rabbitmq.dead_letters import RabbitDeadLetters

    return RabbitDeadLetters(split(settings.rabbitmq_url), exchanges(settings))


@dlq.command("ls")
@_queue
@click.option("--limit", type=Whole(1, 10_000), default=50, show_default=True, help="Of each queue.")
@click.option("--skip", type=Whole(0, 10_000), default=0, help="Leave out so many of each queue's first.")
@json_option
def dlq_ls(queue: str | None, limit: int, skip: int, as_json: bool) -> None:
    """List dead letters, the oldest first, with their reasons. Nothing is changed."""
    letters = _letters(with_broker())

    async def look() -> list[tuple[str, int, Sequence[DeadLetter]]]:
        counts = await letters.counts(_chosen(queue))
        return [
            (name, counts[name], (await letters.look(name))[skip : skip + limit] if counts[name] else [])
            for name in _chosen(queue)
        ]

    found = or_fail(lambda: asyncio.run(look()))
    if as_json:
        pages = [
            {"queue": name, "count": count, "messages": [_summary(letter) for letter in page]}
            for name, count, page in found
        ]
        click.echo(terminal.as_json(pages))
        return
    for name, count, page in found:
        click.echo(f"{name}: {count} dead letter(s)")
        if page:
            rows = [(letter.died_at, letter.id, letter.type, letter.attempts, letter.reason) for letter in page]
            terminal.show(terminal.table(("DIED", "ID", "TYPE", "ATTEMPTS", "REASON"), rows, indent="  "))
        if count > skip + len(page):
            click.echo(f"  … and more: --skip {skip + limit}" if skip + limit < letters.window else "  … and more")


@dlq.command("show")
@click.argument("id")
@_queue
@json_option
def dlq_show(id: str, queue: str | None, as_json: bool) -> None:
    """Show a dead letter with its headers and its body.

    It is shown for each queue whose consumer gave it up.
    """
    from app.platform.messaging.dead_letters import find

    letters = _letters(with_broker())
    found = or_fail(lambda: asyncio.run(find(letters, _chosen(queue), id)))
    if as_json:
        whole = [{**_summary(one), "headers": one.headers, "body": _body(one.body)} for one in found]
        click.echo(terminal.as_json(whole))
        return
    for letter in found:
        for name, value in (*_summary(letter).items(), *letter.headers.items()):
            terminal.show(f"{name:<22}  {cell(value)}")
        click.echo("\n" + "\n".join(map(cell, _body(letter.body).splitlines())) + "\n")


@dlq.command("redrive")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_queue
@click.option("--all", "everything", is_flag=True, help="All that are there now.")
@json_option
def dlq_redrive(ids: tuple[str, ...], queue: str | None, everything: bool, as_json: bool) -> None:
    """Put dead letters back into their queue, to be tried again.

    Those with the IDs, or --all. Each is confirmed there before it leaves here. What comes twice has one effect.
    """
    from app.platform.messaging.dead_letters import redrive, redrive_all
    from app.platform.postgres.operator import actions

    if bool(ids) == everything:
        raise click.UsageError("give IDs, or --all")
    settings = with_broker("consumers_url")
    letters, record = _letters(settings), actions(settings.consumers_url)

    async def work(stop: asyncio.Event) -> tuple[Mapping[str, int], bool]:
        if not everything:
            return await redrive(letters, record, _chosen(queue), ids), False
        with terminal.progress_bar(not as_json and terminal.on_a_terminal()) as bar:
            show = partial(bar, "dead letters")
            return await redrive_all(letters, record, _chosen(queue), show, stop), stop.is_set()

    moved, stopped = run_stoppable(work)
    lines = [f"{count} put back into {name}" for name, count in moved.items()]
    click.echo(terminal.as_json(moved) if as_json else "\n".join(lines))
    if stopped:
        raise Failed("stopped before the end; the same again goes on")


@dlq.command("drop")
@click.argument("id")
@_queue
@click.option("--yes", is_flag=True, help="Do not ask.")
def dlq_drop(id: str, queue: str | None, yes: bool) -> None:
    """Remove a dead letter for good. What it was stays in `audit.actions`, its body as a digest."""
    from app.platform.messaging.dead_letters import drop, find
    from app.platform.postgres.operator import actions

    settings = with_broker("consumers_url")
    letters = _letters(settings)
    found = or_fail(lambda: asyncio.run(find(letters, _chosen(queue), id)))
    letter = found[0]
    if any(other.queue != letter.queue for other in found):
        raise click.UsageError("more than one consumer gave it up: say which with --queue")
    if not yes:
        what = f"{letter.type or 'message'} {letter.id} of {letter.queue} ({letter.reason})"
        click.confirm(f"{what}: drop it for good?", abort=True)
    or_fail(lambda: asyncio.run(drop(letters, actions(settings.consumers_url), letter)))
    click.echo(f"dropped {letter.id} of {letter.queue}")


@dlq.command("bury")
@click.argument("queue", callback=_known, shell_complete=queue_names)
@click.argument("event_id", metavar="EVENT_ID")
def dlq_bury(queue: str, event_id: str) -> None:
    """Put a message that its consumer is stuck on among the dead letters of QUEUE.

    For when the cause cannot be mended soon. `message_stuck` in the consumer's log names it. The consumer carries it
    out; the order is recorded in `audit.actions`, and withdrawn if none does within 30 s.
    """
    from app.platform.messaging.dead_letters import bury
    from app.platform.postgres.actions import PostgresActionLog
    from app.platform.postgres.operator import actions

    settings = with_broker("consumers_url")
    url, letters, message = settings.consumers_url, _letters(settings), _event_id(event_id)

    async def order() -> None:
        await letters.counts([queue])  # a name that nobody consumes is a slip of the pen
        await bury(actions(url), PostgresActionLog(url), queue, message)

    or_fail(lambda: asyncio.run(order()))
    click.echo(f"buried {message} of {queue}: it is in `strongbox dlq ls --queue {queue}`")


def _event_id(given: str) -> str:
    try:
        return str(UUID(given))
    except ValueError:
        return text("EVENT_ID", given, 64)  # of a message without one: a digest


def _chosen(queue: str | None) -> list[str]:
    if queue:
        return [queue]
    from app.main.outboxes import queues

    return [each.name for each in queues(settings_with())]  # of a context that is switched off there are none


def _summary(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "queue": letter.queue,
        "type": letter.type,
        "reason": letter.reason,
        "died_at": letter.died_at,
        "attempts": letter.attempts,
    }


def _body(body: bytes) -> str:
    """The body as text, in lines if it is JSON; not more of it than anybody reads."""
    if len(body) > SHOWN:
        return f"{body[:SHOWN].decode(errors='replace')}\n… {len(body) - SHOWN} octets more"
    try:
        return msgspec.json.format(body).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode(errors="replace")
