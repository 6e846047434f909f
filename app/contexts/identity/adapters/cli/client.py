"""`strongbox client`: machines with an account of their own."""

import asyncio
from typing import TYPE_CHECKING

import click

from app.kernel.scopes import SCOPES
from app.platform.process import terminal
from app.platform.process.commands import also, command_line, configured, json_option, or_fail, text

if TYPE_CHECKING:
    from app.contexts.identity.application.manage_clients import Credentials
    from app.contexts.identity.container import IdentityContainer

MOST_OF_A_NAME = 100

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose: the tenant's name.")


@click.group()
def client() -> None:
    """Machines with an account of their own. Also spelled `clients`."""


@client.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(sorted(SCOPES)),
    multiple=True,
    required=True,
    help="What it may do; several times for several.",
)
@tenant_option
@json_option
def client_add(name: str, scopes: tuple[str, ...], tenant: str, as_json: bool) -> None:
    """Add the machine NAME. Its id and its secret are shown this once."""
    from app.contexts.identity.for_operators import do

    name = text("NAME", name, MOST_OF_A_NAME)
    container = _container()
    added = or_fail(
        lambda: asyncio.run(
            do(
                container,
                "client add",
                lambda: container.manage_clients().add(tenant, name, frozenset(scopes)),
                lambda made: {"client_id": made.client_id, "tenant": tenant, "scopes": sorted(set(scopes))},
            )
        )
    )
    _show(added, as_json)


@client.command("rotate")
@click.argument("client_id", metavar="ID")
@tenant_option
@json_option
def client_rotate(client_id: str, tenant: str, as_json: bool) -> None:
    """Give the machine ID a new secret, shown this once. The old one, and its tokens, are good no more."""
    from app.contexts.identity.for_operators import do

    container = _container()
    rotated = or_fail(
        lambda: asyncio.run(
            do(
                container,
                "client rotate",
                lambda: container.manage_clients().rotate(tenant, client_id),
                lambda made: {"client_id": made.client_id, "tenant": tenant},
            )
        )
    )
    _show(rotated, as_json)


@client.command("disable")
@click.argument("client_id", metavar="ID")
@tenant_option
@json_option
def client_disable(client_id: str, tenant: str, as_json: bool) -> None:
    """Let the machine ID in no more: its tokens end. Once more changes nothing."""
    from app.contexts.identity.for_operators import do

    container = _container()
    or_fail(
        lambda: asyncio.run(
            do(
                container,
                "client disable",
                lambda: container.manage_clients().disable(tenant, client_id),
                lambda _: {"client_id": client_id, "tenant": tenant},
            )
        )
    )
    as_told = {"client_id": client_id, "is_active": False}
    click.echo(terminal.as_json(as_told) if as_json else f"client {client_id} is disabled")


clients = also(client, "clients")


def _container() -> "IdentityContainer":
    container: IdentityContainer = command_line().container("identity", configured("command", "database_url"))
    return container


def _show(made: "Credentials", as_json: bool) -> None:
    if as_json:
        click.echo(terminal.as_json({"client_id": made.client_id, "client_secret": made.client_secret}))
    else:
        click.echo(f"client_id      {made.client_id}\nclient_secret  {made.client_secret}")
