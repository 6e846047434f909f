"""`strongbox run`, `demo`, `api`, `relay`, `recover`, `verify`."""

import asyncio
import functools
import socket
from typing import TYPE_CHECKING

import click

from app.main.commands.common import (
    BASE,
    Failed,
    Whole,
    WrongSettings,
    configured,
    is_in_process,
    json_option,
    or_fail,
    settings_with,
    traced,
)
from app.main.settings import InvalidSettings, Settings, load

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from app.main.container import Container


@click.command()
def run() -> None:
    """Serve everything on this machine: what is not given by the settings is started here, under .strongbox/."""
    from app.main.local.run import run as run_everything

    try:
        settings = load()
    except InvalidSettings as error:
        raise WrongSettings(str(error)) from None
    raise SystemExit(asyncio.run(run_everything(settings, BASE)))


@click.command()
def demo() -> None:
    """Show every gateway mode and what it does to balance, events and audit trail. Ends by itself."""
    from app.main.demo import tour

    raise SystemExit(asyncio.run(tour()))


@click.command()
@click.option("--workers", type=Whole(1, 64), help="Processes that serve; default HTTP_WORKERS.")
@click.option("--fd", type=int, hidden=True, help="Serve on this inherited socket: a worker.")
def api(workers: int | None, fd: int | None) -> None:
    """Serve the HTTP API."""
    from app.adapters.listening import listen
    from app.main.processes import api as serve_api
    from app.main.processes import check_schema
    from app.main.workers import Workers

    settings = configured("api", "database_url", "gateway_url", "api_keys")
    with traced("api", settings) as tracer:  # a wrong variable stops the parent of workers, too
        if fd is not None:
            listener = socket.socket(fileno=fd)
        else:
            or_fail(lambda: asyncio.run(check_schema(settings)))
            try:
                listener = listen(settings.http_host, settings.http_port)
            except OSError as error:
                where = f"{settings.http_host}:{settings.http_port}"
                raise Failed(f"HTTP_HOST, HTTP_PORT: cannot listen on {where}: {error.strerror}") from None
            if (workers or settings.http_workers) > 1:
                return Workers(listener, workers or settings.http_workers, settings.shutdown_grace_s).run()
        return or_fail(lambda: serve_api(_container(settings, tracer), settings, listener, is_worker=fd is not None))


@click.command()
@click.option("--in-process", is_flag=True, hidden=True, help="With both consumers and the broker in this process.")
def relay(in_process: bool) -> None:
    """Publish the outbox to RabbitMQ."""
    from app.main.processes import check_schema, run_until_stopped
    from app.main.relaying import relay as relay_events

    settings = settings_with("database_url")
    if not in_process and not settings.rabbitmq_url and is_in_process():
        raise Failed("the run in this folder relays and consumes inside its own process: it found no RabbitMQ")
    settings = configured("relay", *(() if in_process else ("rabbitmq_url",)))
    with traced("relay", settings) as tracer:
        or_fail(lambda: asyncio.run(check_schema(settings)))
        or_fail(lambda: run_until_stopped(functools.partial(relay_events, settings, in_process, tracer)))


@click.command()
def recover() -> None:
    """Finish the payments that were left PENDING."""
    from app.main.processes import check_schema, run_until_stopped
    from app.main.processes import recover as recover_payments

    settings = configured("recover", "database_url", "gateway_url")
    with traced("recover", settings) as tracer:
        container = _container(settings, tracer)
        or_fail(lambda: asyncio.run(check_schema(settings)))
        or_fail(lambda: run_until_stopped(functools.partial(recover_payments, container, settings)))


@click.command()
@click.option(
    "--offenders", type=Whole(1, 1_000_000), default=20, show_default=True, help="Name so many of each check."
)
@json_option
def verify(offenders: int, as_json: bool) -> None:
    """Check that every invariant holds. Exit code 1, with the offending rows, when one does not."""
    from app.main.verification import verify as verify_everything

    raise SystemExit(or_fail(lambda: asyncio.run(verify_everything(settings_with("database_url"), as_json, offenders))))


def _container(settings: Settings, tracer: "Tracer | None") -> "Container":
    from app.main.container import Container

    container = Container(settings=settings)
    if settings.log_level == "debug":
        from app.main.timings import time_repositories

        time_repositories(container)
    if tracer is not None:
        from app.main.spans import trace

        trace(container, tracer)
    return container
