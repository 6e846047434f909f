"""The command line of the consumers: metrics, audit, and those of contexts."""

import os
import sys
from typing import Final

import click

from consumers import audit, metrics
from consumers.kit.process import command

OWN: Final = {
    "metrics": command(
        "metrics", metrics.work, "Count payments, and serve the counts on METRICS_PORT: /metrics and /healthz."
    ),
    "audit": command("audit", audit.work, "Keep every event, once, in the hash chain of the audit log."),
}


class _Consumers(click.Group):
    """The house's own know no context. Those of contexts are there when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_of_contexts()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if found := super().get_command(ctx, cmd_name):
            return found
        from app.main.consuming import command_of, names  # noqa: PLC0415 -- the house's own do without

        return command_of(cmd_name) if cmd_name in names() else None


def _of_contexts() -> list[str]:
    from app.main.consuming import names  # noqa: PLC0415 -- as above

    return names()


@click.group(
    cls=_Consumers,
    commands=OWN,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def main() -> None:
    """The consumers of events. Settings come from the environment, over the YAML file of STRONGBOX_CONFIG."""


@main.command(name="redrive")
@click.argument("name")
def redrive_command(name: str) -> None:
    """Put the dead letters of a consumer back into its queue: `strongbox dlq redrive --all --queue NAME.queue`."""
    if name not in (known := [*OWN, *_of_contexts()]):
        raise click.BadParameter(f"{name!r} is none of {', '.join(known)}", param_hint="NAME")
    command = [sys.executable, "-m", "app", "dlq", "redrive", "--all", "--queue", f"{name}.queue"]
    os.execv(sys.executable, command)  # noqa: S606 -- our own command
