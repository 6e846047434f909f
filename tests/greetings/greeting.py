"""`strongbox greeting`."""

import asyncio

import click

from app.platform.postgres.operator import with_pool
from app.platform.process.commands import command_line, configured, or_fail


@click.group()
def greeting() -> None:
    """Greetings."""


@click.command()
def once() -> None:
    """Have everybody answer who has not, and no more."""
    container = command_line().container("greetings", configured("command", "database_url"))
    pool, url = container.database().upkeep_pool, container.database().url
    or_fail(lambda: asyncio.run(with_pool(pool, url, container.greetings().answer)))
    click.echo("answered")


@greeting.command("count")
def count() -> None:
    """How many there are."""
    container = command_line().container("greetings", configured("command", "database_url"))
    pool, url = container.database().upkeep_pool, container.database().url
    click.echo(or_fail(lambda: asyncio.run(with_pool(pool, url, container.greetings().count))))
