"""`strongbox provider`: those who are paid."""

import asyncio
from uuid import UUID

import click

from app.platform.process.commands import Id, command_line, configured, or_fail, text


@click.group()
def provider() -> None:
    """Those who are paid."""


@provider.command("add")
@click.argument("name")
@click.option("--id", "provider_id", type=Id(), help="Its id; a fresh one otherwise.")
def provider_add(name: str, provider_id: UUID | None) -> None:
    """Add the provider NAME, active at once. The same name and id again change nothing."""
    from app.contexts.payments.for_operators import add_provider

    name = text("NAME", name, 200)
    container = command_line().container("payments", configured("command", "database_url"))
    click.echo(or_fail(lambda: asyncio.run(add_provider(container, name, provider_id))))
