"""`strongbox migrate`."""

import asyncio

import click

from app.main import migrations
from app.main.commands.common import Whole, or_fail, settings_with


@click.group()
def migrate() -> None:
    """Change the schema; no other command does."""


def _homes() -> tuple[str, str]:
    settings = settings_with("owner_url")
    return settings.owner_url, settings.consumers_owner_url


@migrate.command("up")
def migrate_up() -> None:
    """Run all migrations that have not been run, and set right what a copy of the database left behind.

    That is what the services may do (`pg_restore --no-acl`), and the places of sequences (a logical copy).
    """
    mended: list[str] = []
    ran = or_fail(lambda: migrations.up(*_homes(), mended.append))
    click.echo("\n".join([*(f"ran {name}" for name in ran), *mended]) or "nothing to do: the schema is up to date")


@migrate.command("down")
@click.argument("count", type=Whole(min=1), default=1)
def migrate_down(count: int) -> None:
    """Undo the last COUNT migrations (1). What their tables held is lost."""
    undone = or_fail(lambda: migrations.down(*_homes(), count))
    click.echo("\n".join(f"undid {name}" for name in undone) or "nothing to undo")


@migrate.command("version")
def migrate_version() -> None:
    """Print the number of the newest migration that has been run."""
    click.echo(or_fail(lambda: migrations.version(*_homes())))


@migrate.command("force")
@click.argument("version", type=Whole(min=0))
def migrate_force(version: int) -> None:
    """Say that the schema stands at VERSION, and run nothing: after mending it by hand."""
    from app.application.actions import NotRecorded
    from app.main.operations import actions

    homes = _homes()
    or_fail(lambda: migrations.force(*homes, version))
    click.echo(f"the schema counts as version {version}")
    try:
        asyncio.run(actions(homes[1]).record("migrate force", {"version": version}))
    except NotRecorded as error:  # a schema under repair may lack the table
        click.echo(f"note: done, but {error}", err=True)
