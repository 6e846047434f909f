"""`strongbox tenant`: houses of their own under this roof."""

import asyncio

import click

from app.platform.process import terminal
from app.platform.process.commands import also, command_line, configured, json_option, or_fail


@click.group()
def tenant() -> None:
    """Tenants: houses of their own, whose people see nothing of each other's. Also spelled `tenants`."""


@tenant.command("add")
@click.argument("name")
@click.option("--host", help="Whoever comes to this host comes to this tenant.")
@json_option
def tenant_add(name: str, host: str | None, as_json: bool) -> None:
    """Add the tenant NAME."""
    from app.contexts.identity.domain.tenant import is_host, is_name
    from app.contexts.identity.for_operators import do

    if not is_name(name):
        raise click.BadParameter("1 to 64 lower-case letters, digits and . _ - between them", param_hint="NAME")
    host = None if host is None else host.lower()
    if host is not None and not is_host(host):
        raise click.BadParameter("a host without a port, such as shop.example.org", param_hint="--host")
    container = command_line().container("identity", configured("command", "database_url"))
    added = or_fail(
        lambda: asyncio.run(
            do(
                container,
                "tenant add",
                lambda: container.operate().add_tenant(name, host),
                lambda tenant: {"tenant_id": str(tenant.id), "name": name, "host": host},
            )
        )
    )
    shown = {"tenant_id": added.id, "name": name, "host": host, "house_user_id": added.house_user_id}
    click.echo(terminal.as_json(shown) if as_json else added.id)


@tenant.command("show")
@click.option("--tenant", "name", help="Only the one of that name.")
@json_option
def tenant_show(name: str | None, as_json: bool) -> None:
    """Show the tenants, the one of the beginning first."""
    from app.contexts.identity.for_operators import look

    container = command_line().container("identity", configured("command", "database_url"))
    found = or_fail(lambda: asyncio.run(look(container, lambda: container.operate().all_tenants())))
    if name is not None:
        found = [each for each in found if each.name == name]
        if not found:
            raise click.ClickException(f"there is no tenant {name!r}")
    if as_json:
        shown = [
            {"tenant_id": each.id, "name": each.name, "host": each.host, "house_user_id": each.house_user_id}
            for each in found
        ]
        click.echo(terminal.as_json({"tenants": shown}))
    else:
        rows = [(each.name, each.id, each.host, each.house_user_id) for each in found]
        terminal.show(terminal.table(("NAME", "ID", "HOST", "HOUSE USER"), rows))


tenants = also(tenant, "tenants")
