"""`python -m app.main.local.clean`: removes `.strongbox/` of this folder, unless a run is alive in it.

Servers and processes that a killed run left behind are ended first.
"""

import shutil
import sys
from pathlib import Path

import click

from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.redis import RedisServer
from app.platform.process.processes import CannotStart
from app.platform.process.run_state import end_leftovers, only_run


def clean(base: Path) -> None:
    """Remove the folder of a run.

    Raises:
        CannotStart: a run is alive in it.
    """
    if not base.exists():
        return
    with only_run(base):
        end_leftovers(base, grace_s=15)
        postgres = PostgresServer(base / "postgres")
        if postgres.find_running():
            postgres.stop()
        RabbitMQNode(base / "rabbitmq").stop()
        RedisServer(base / "redis").stop()
        shutil.rmtree(base)


if __name__ == "__main__":
    try:
        clean(Path(".strongbox").absolute())
    except CannotStart as error:
        click.echo(f"It stays: {error}", err=True)
        sys.exit(1)
