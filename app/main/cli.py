"""The command line: `strongbox`, or `python -m app`.

Exit codes: 0 done; 1 it failed, or does not hold; 2 the command or a setting is wrong.
"""

import asyncio
import functools
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from app.main import logging, migrations
from app.main.local.state import discovered
from app.main.settings import InvalidSettings, Settings, load

T = TypeVar("T")
BASE = Path(".strongbox")


class _Failed(click.ClickException):
    exit_code = 1


class _WrongSettings(click.ClickException):
    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="strongbox")
def main() -> None:
    """Strongbox: wallets and payments that can be trusted with money.

    Settings come from the environment, over the YAML file that STRONGBOX_CONFIG names, over what a `strongbox run`
    in this folder serves, over defaults.
    """


def _settings(*required: str) -> Settings:
    try:
        return load(found=discovered(BASE)).require(*required)
    except InvalidSettings as error:
        hint = " (or `strongbox run` in this folder)" if "is not set" in str(error) else ""
        raise _WrongSettings(f"{error}{hint}") from None


def _configured(process: str, *required: str) -> Settings:
    settings = _settings(*required)
    logging.configure(settings.log_level, settings.log_format, process)
    return settings


def _or_fail(action: Callable[[], T]) -> T:
    """Run what may fail for reasons that an operator can mend, and say them without a traceback."""
    from app.application.ports import Unavailable
    from app.domain.refusals import Refusal
    from app.main.operations import NotRecorded
    from app.main.processes import CannotServe

    try:
        return action()
    except (migrations.MigrationError, CannotServe, NotRecorded, Refusal, Unavailable) as error:
        raise _Failed(str(error)) from None


@main.command()
def run() -> None:
    """Serve everything on this machine: what is not given by the settings is started here, under .strongbox/."""
    from app.main.local.run import run as run_everything

    try:
        settings = load()
    except InvalidSettings as error:
        raise _WrongSettings(str(error)) from None
    raise SystemExit(asyncio.run(run_everything(settings, BASE)))


@main.command()
def demo() -> None:
    """Show every gateway mode and what it does to balance, events and audit trail. Ends by itself."""
    from app.main.demo import tour

    raise SystemExit(asyncio.run(tour()))


@main.command()
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that serve; default HTTP_WORKERS.")
@click.option("--fd", type=int, hidden=True, help="Serve on this inherited socket: a worker.")
def api(workers: int | None, fd: int | None) -> None:
    """Serve the HTTP API."""
    from app.main.container import Container
    from app.main.processes import api as serve_api
    from app.main.processes import check_schema
    from app.main.workers import Workers, listen

    settings = _configured("api", "database_url", "gateway_url", "api_keys")
    if fd is not None:
        listener = socket.socket(fileno=fd)
    else:
        _or_fail(lambda: asyncio.run(check_schema(settings)))
        try:
            listener = listen(settings.http_host, settings.http_port)
        except OSError as error:
            where = f"{settings.http_host}:{settings.http_port}"
            raise _Failed(f"HTTP_HOST, HTTP_PORT: cannot listen on {where}: {error.strerror}") from None
        if (workers or settings.http_workers) > 1:
            return Workers(listener, workers or settings.http_workers, settings.shutdown_grace_s).run()
    return _or_fail(lambda: serve_api(Container(settings=settings), settings, listener))


@main.command()
@click.option("--in-process", is_flag=True, hidden=True, help="With both consumers and the broker in this process.")
def relay(in_process: bool) -> None:
    """Publish the outbox to RabbitMQ."""
    from app.main.processes import check_schema, run_until_stopped
    from app.main.relaying import relay as relay_events

    settings = _settings("database_url")
    if not in_process and not settings.rabbitmq_url and discovered(BASE).get("BROKER") == "in-process":
        raise _Failed("the run in this folder relays and consumes inside its own process: it found no RabbitMQ")
    settings = _configured("relay", *(() if in_process else ("rabbitmq_url",)))
    _or_fail(lambda: asyncio.run(check_schema(settings)))
    _or_fail(lambda: run_until_stopped(functools.partial(relay_events, settings, in_process)))


@main.command()
def recover() -> None:
    """Finish the payments that were left PENDING."""
    from app.main.container import Container
    from app.main.processes import check_schema, run_until_stopped
    from app.main.processes import recover as recover_payments

    settings = _configured("recover", "database_url", "gateway_url")
    _or_fail(lambda: asyncio.run(check_schema(settings)))
    _or_fail(lambda: run_until_stopped(functools.partial(recover_payments, Container(settings=settings), settings)))


@main.group()
def migrate() -> None:
    """Change the schema; no other command does."""


def _homes() -> tuple[str, str]:
    settings = _settings("owner_url")
    return settings.owner_url, settings.consumers_owner_url


@migrate.command("up")
def migrate_up() -> None:
    """Run all migrations that have not been run."""
    ran = _or_fail(lambda: migrations.up(*_homes()))
    click.echo("\n".join(f"ran {name}" for name in ran) or "nothing to do: the schema is up to date")


@migrate.command("down")
@click.argument("count", type=click.IntRange(min=1), default=1)
def migrate_down(count: int) -> None:
    """Undo the last COUNT migrations (1). What their tables held is lost."""
    undone = _or_fail(lambda: migrations.down(*_homes(), count))
    click.echo("\n".join(f"undid {name}" for name in undone) or "nothing to undo")


@migrate.command("version")
def migrate_version() -> None:
    """Print the number of the newest migration that has been run."""
    click.echo(_or_fail(lambda: migrations.version(*_homes())))


@migrate.command("force")
@click.argument("version", type=click.IntRange(min=0))
def migrate_force(version: int) -> None:
    """Say that the schema stands at VERSION, and run nothing: after mending it by hand."""
    from app.main.operations import NotRecorded, record

    homes = _homes()
    _or_fail(lambda: migrations.force(*homes, version))
    click.echo(f"the schema counts as version {version}")
    try:
        asyncio.run(record(homes[1], "migrate force", {"version": version}))
    except NotRecorded as error:  # a schema under repair may lack the table
        click.echo(f"note: {error}", err=True)


@main.group()
def provider() -> None:
    """Those who are paid."""


@provider.command("add")
@click.argument("name")
@click.option("--id", "provider_id", type=click.UUID, help="Its id; a fresh one otherwise.")
def provider_add(name: str, provider_id: UUID | None) -> None:
    """Add the provider NAME, active at once. The same name and id again change nothing."""
    from app.main.operations import add_provider

    name = _text("NAME", name, 200)
    added = _command(lambda container: add_provider(container, name, provider_id))
    click.echo(added)


@main.group()
def wallet() -> None:
    """What users hold."""


@wallet.command("fund")
@click.argument("user_id", type=click.UUID)
@click.argument("currency")
@click.argument("amount", type=click.IntRange(1, 2**63 - 1))
@click.option("--reference", help="What the money came by: the same again pays in nothing.")
def wallet_fund(user_id: UUID, currency: str, amount: int, reference: str | None) -> None:
    """Pay AMOUNT minor units of CURRENCY into the user's wallet, opening it where there is none."""
    from app.domain.currencies import is_known
    from app.main.operations import fund_wallet

    if not is_known(currency, _settings().currencies):
        raise click.BadParameter(f"{currency!r} is not a currency", param_hint="CURRENCY")
    if reference is not None:
        reference = _text("--reference", reference, 140)
    funded = _command(lambda container: fund_wallet(container, user_id, currency, amount, reference))
    already = " (paid in before: nothing was done)" if funded.already else ""
    click.echo(f"user {user_id} holds {funded.balance_minor} {currency}{already}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def verify(as_json: bool) -> None:
    """Check that every invariant holds. Exit code 1, with the offending rows, when one does not."""
    from app.main.verification import verify as verify_everything

    raise SystemExit(_or_fail(lambda: asyncio.run(verify_everything(_settings("database_url"), as_json))))


def _command(action: Callable[[Any], Awaitable[T]]) -> T:
    """Run an operator's command against the books."""
    from app.main.container import Container
    from app.main.operations import with_books

    settings = _configured("command", "database_url")
    return _or_fail(lambda: asyncio.run(with_books(Container(settings=settings), action)))


def _text(name: str, text: str, limit: int) -> str:
    text = text.strip()
    if not 1 <= len(text) <= limit or not text.isprintable():
        raise click.BadParameter(f"1 to {limit} printable characters", param_hint=name)
    return text
