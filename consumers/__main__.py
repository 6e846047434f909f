"""`python -m consumers metrics` and `python -m consumers audit`."""

import os
import sys

import click

from consumers import audit, metrics
from consumers.kit.process import command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """The consumers of payment events. Settings come from the environment, over the YAML file of STRONGBOX_CONFIG."""


main.add_command(
    command("metrics", metrics.work, "Count payments, and serve the counts on METRICS_PORT: /metrics and /healthz.")
)
main.add_command(command("audit", audit.work, "Keep every event, once, in the hash chain of the audit log."))


@main.command(name="redrive")
@click.argument("name", type=click.Choice(["metrics", "audit"]))
def redrive_command(name: str) -> None:
    """Put the dead letters of a consumer back into its queue: `strongbox dlq redrive --all --queue NAME.queue`."""
    command = [sys.executable, "-m", "app", "dlq", "redrive", "--all", "--queue", f"{name}.queue"]
    os.execv(sys.executable, command)  # noqa: S606 -- our own command


if __name__ == "__main__":
    main(prog_name="python -m consumers")
