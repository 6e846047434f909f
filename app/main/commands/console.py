"""`strongbox console`."""

import click

from app.main.local import plan
from app.platform.process import run_state as state
from app.platform.process.commands import BASE, Failed, configured, is_in_process


@click.command()
@click.option(
    "--api", "api_urls", multiple=True, metavar="URL", help="Where an API serves; may be given several times."
)
def console(api_urls: tuple[str, ...]) -> None:
    """Serve the operators' pages: what happens now, payments, dead letters, replays."""
    from app.main.console import serve_console
    from app.platform.http.sockets import listen

    settings = configured("console", "database_url", "console_keys")
    here = state.urls(BASE).get("api") or f"http://{plan.reachable(settings.http_host)}:{settings.http_port}"
    try:
        listener = listen(settings.console_host, settings.console_port)
    except OSError as error:
        where = f"{settings.console_host}:{settings.console_port}"
        raise Failed(f"CONSOLE_HOST, CONSOLE_PORT: cannot listen on {where}: {error.strerror}") from None
    serve_console(settings, api_urls or (here,), is_in_process(), listener)
