"""`strongbox run`, `demo`, `api`, `relay`, `recover`, `verify`."""

import asyncio
import functools
import socket

import click

from app.platform.process.commands import (
    BASE,
    Failed,
    Whole,
    WrongSettings,
    command_line,
    configured,
    is_in_process,
    json_option,
    or_fail,
    settings_with,
    traced,
)
from app.platform.process.loading import load
from app.platform.process.settings import InvalidSettings, Settings, entries


@click.command()
def run() -> None:
    """Serve everything on this machine, for development.

    What is not given by the settings is started here, under .strongbox/.
    """
    from app.main.local.run import run as run_everything

    try:
        settings = load(command_line().known)
    except InvalidSettings as error:
        raise WrongSettings(str(error)) from None
    raise SystemExit(asyncio.run(run_everything(settings, BASE)))


@click.command()
def demo() -> None:
    """Show a sale, auctions, cashback, a refund, a webhook, each mode of the gateway."""
    from app.main.demo import tour

    raise SystemExit(asyncio.run(tour()))


def _listed(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names, given one by one or with commas between them."""
    names = [name for each in given for name in entries(each)]
    if given and not names:
        raise click.BadParameter("it names no context")
    known = [context.name for context in command_line().known]
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r} is none of {', '.join(known)}")
    return tuple(dict.fromkeys(names))


@click.command()
@click.option("--workers", type=Whole(1, 64), help="Processes that serve; default HTTP_WORKERS.")
@click.option(
    "--only",
    metavar="CONTEXT",
    multiple=True,
    callback=_listed,
    help="Serve the operations of this context alone, or of these; default all of CONTEXTS.",
)
@click.option("--fd", type=int, hidden=True, help="Serve on this inherited socket: a worker.")
def api(workers: int | None, only: tuple[str, ...], fd: int | None) -> None:
    """Serve the HTTP API."""
    from app.main.api import api as serve_api
    from app.main.house import House

    settings = configured("api", "database_url", "api_keys")
    if off := next((name for name in only if name not in settings.sections), None):
        raise WrongSettings(f"CONTEXTS: {off} is switched off, and so has nothing to serve")
    with traced("api", settings) as tracer:  # a wrong variable stops the parent of workers, too
        house = House(settings, tracer, only)
        settings.require(*(name for context in house.at_work for name in context.required))
        if any(context.people for context in house.at_work):
            settings.require("log_hash_key")  # no line names a person in clear
        for fit in (context.fit for context in house.at_work if context.fit):
            fit(settings)
        listener = socket.socket(fileno=fd) if fd is not None else _listener(settings)
        if fd is None and (workers or settings.http_workers) > 1:
            parts = ("api", *(f"--only={name}" for name in only))
            from app.platform.process.workers import Workers

            return Workers(listener, workers or settings.http_workers, settings.shutdown_grace_s, parts).run()
        return or_fail(lambda: serve_api(house, listener, is_worker=fd is not None))


def _listener(settings: Settings) -> socket.socket:
    """The socket to serve on, once the databases are such that one can."""
    from app.main.schema_check import check_schema
    from app.platform.http.sockets import listen

    or_fail(lambda: asyncio.run(check_schema(settings)))
    try:
        return listen(settings.http_host, settings.http_port)
    except OSError as error:
        where = f"{settings.http_host}:{settings.http_port}"
        raise Failed(f"HTTP_HOST, HTTP_PORT: cannot listen on {where}: {error.strerror}") from None


@click.command()
@click.option("--in-process", is_flag=True, hidden=True, help="With the consumers and the broker in this process.")
def relay(in_process: bool) -> None:
    """Publish the outbox to RabbitMQ."""
    from app.main.outboxes import publications
    from app.main.relay import relay as relay_events
    from app.main.schema_check import check_schema
    from app.platform.process.running import run_until_stopped

    settings = settings_with("database_url")
    if not in_process and not settings.rabbitmq_url and is_in_process():
        raise Failed("the run in this folder relays and consumes inside its own process: it found no RabbitMQ")
    settings = configured("relay", *(() if in_process else ("rabbitmq_url",)))
    with traced("relay", settings) as tracer:
        or_fail(lambda: asyncio.run(check_schema(settings)))
        relaying = functools.partial(relay_events, settings, publications(settings), in_process, tracer)
        or_fail(lambda: run_until_stopped(relaying))


@click.command()
def recover() -> None:
    """Find what was left half done, and finish it."""
    from app.main import contexts
    from app.main.house import House
    from app.main.schema_check import check_schema
    from app.main.worker import recover as recover_all
    from app.platform.process.running import run_until_stopped

    switched_on = contexts.of(settings_with("database_url"))
    bringing = [each for each in switched_on if each.recovery]
    if not bringing:
        names = ", ".join(each.name for each in switched_on)
        raise WrongSettings(f"CONTEXTS: there is nothing to recover for {names}")
    settings = configured("recover", "database_url", *(name for each in bringing for name in each.required))
    with traced("recover", settings) as tracer:
        house = House(settings, tracer)
        or_fail(lambda: asyncio.run(check_schema(settings)))
        or_fail(lambda: run_until_stopped(functools.partial(recover_all, house)))


@click.command()
@click.option(
    "--offenders", type=Whole(1, 1_000_000), default=20, show_default=True, help="Name so many of each check."
)
@json_option
def verify(offenders: int, as_json: bool) -> None:
    """Check that every invariant holds. Exit code 1, with the offending rows, when one does not."""
    from app.main.verification import verify as verify_everything

    raise SystemExit(or_fail(lambda: asyncio.run(verify_everything(settings_with("database_url"), as_json, offenders))))
