"""`strongbox products reindex`: have products found by their words in the language that is set now."""

import click
import msgspec

from app.platform.process import terminal
from app.platform.process.commands import Failed, command_line, configured, json_option, run_stoppable


@click.group()
def products() -> None:
    """Products: have them found in another language."""


@products.command("reindex")
@click.option("--tenant", help="The name of the tenant whose products alone it is about.")
@json_option
def products_reindex(tenant: str | None, as_json: bool) -> None:
    """Write down anew what products are searched by.

    For after a change of SEARCH_LANGUAGE, which has to be set here as it is for the APIs. Those whose words are right
    are left as they are. Nobody is stopped meanwhile, and the same again goes on where it ended.
    """
    from app.contexts.catalog.for_operators import reindex
    from app.platform.process.commands import or_fail
    from app.platform.tenants import TenantUnknown

    house = command_line().rooms(configured("command", "database_url"))
    with terminal.progress_bar(not as_json and terminal.on_a_terminal()) as progress:
        done = or_fail(lambda: run_stoppable(lambda stop: reindex(house, tenant, progress, stop)), TenantUnknown)
    if as_json:
        click.echo(terminal.as_json(msgspec.to_builtins(done)))
    else:
        click.echo(f"{done.written} of {done.products} product(s) written anew")
    if done.stopped:
        raise Failed("stopped before the end; the same again goes on")
