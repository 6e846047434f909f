"""`strongbox status`."""

import asyncio
import os
import threading
from collections.abc import Mapping

import click
import msgspec

from app.main.local import plan
from app.platform.operations.health import Health, State
from app.platform.process import run_state as state
from app.platform.process import terminal
from app.platform.process.commands import BASE, configured, is_in_process, json_option

_LIMIT_S = 15.0
"""All is shown long before: a connection that cannot be given up holds up the end no longer than this."""
_COLOURS = {State.OK: "green", State.DEGRADED: "yellow", State.DOWN: "red"}


@click.command()
@click.option(
    "--api", "api_urls", multiple=True, metavar="URL", help="Where an API serves; may be given several times."
)
@json_option
def status(api_urls: tuple[str, ...], as_json: bool) -> None:
    """Show every part of the service and its health on one screen. Exit code 1 when one of them is not ok."""
    from app.main.status import status as look

    settings = configured("command", "database_url")
    here = state.urls(BASE).get("api") or f"http://{plan.reachable(settings.http_host)}:{settings.http_port}"

    async def show() -> bool:
        # Shown before the end: a name that does not resolve would hold up the end of the process, too.
        healths = await look(settings, api_urls or (here,), is_in_process())
        if as_json:
            click.echo(_json(healths))
        else:
            terminal.show(_text(healths))
        return _ok(healths)

    limit = threading.Timer(_LIMIT_S, os._exit, (1,))
    limit.daemon = True
    limit.start()
    try:
        raise SystemExit(0 if asyncio.run(show()) else 1)
    finally:
        limit.cancel()


def _ok(healths: Mapping[str, Health]) -> bool:
    return all(health.state is State.OK for health in healths.values())


def _text(healths: Mapping[str, Health]) -> str:
    width = max(map(len, healths))
    lines = []
    for name, health in healths.items():
        shown = click.style(f"{health.state:<8}", fg=_COLOURS[health.state])
        lines.append(f"{name:<{width}}  {shown}  {terminal.cell(health.seen)}")
        if health.hint:
            lines.append(f"{'':<{width}}            → {terminal.cell(health.hint)}")
    wrong = sum(health.state is not State.OK for health in healths.values())
    lines.append(f"{wrong} of {len(healths)} parts need attention" if wrong else f"all {len(healths)} parts are ok")
    return "\n".join(lines)


def _json(healths: Mapping[str, Health]) -> str:
    parts = [{"part": name, **msgspec.to_builtins(health)} for name, health in healths.items()]
    return terminal.as_json({"ok": _ok(healths), "parts": parts})
