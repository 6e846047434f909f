"""`strongbox migrate`."""

import asyncio

import click

from app.platform.postgres.target import Target
from app.platform.process.commands import Whole, or_fail, settings_with


@click.group()
def migrate() -> None:
    """Change the schema; no other command does."""


def _targets() -> list[Target]:
    from app.main import databases

    return databases.owned(settings_with("owner_url"))


@migrate.command("up")
def migrate_up() -> None:
    """Run all migrations that have not been run.

    It also sets right what a copy of the database left behind. That is what the services may do (`pg_restore
    --no-acl`), and the places of sequences (a logical copy).
    """
    from app.platform.postgres import migrations

    mended: list[str] = []
    targets = _targets()
    ran = or_fail(lambda: migrations.up(targets, mended.append))
    click.echo("\n".join([*(f"ran {name}" for name in ran), *mended]) or "nothing to do: the schema is up to date")


@migrate.command("down")
@click.argument("count", type=Whole(min=1), default=1)
def migrate_down(count: int) -> None:
    """Undo the last COUNT migrations (1). What their tables held is lost."""
    from app.platform.postgres import migrations

    targets = _targets()
    undone = or_fail(lambda: migrations.down(targets, count))
    click.echo("\n".join(f"undid {name}" for name in undone) or "nothing to undo")


@migrate.command("version")
def migrate_version() -> None:
    """Print the number of the newest migration that has been run."""
    from app.platform.postgres import migrations

    targets = _targets()
    click.echo(or_fail(lambda: migrations.version(targets)))


@migrate.command("force")
@click.argument("version", type=Whole(min=0))
def migrate_force(version: int) -> None:
    """Say that the schema stands at VERSION, and run nothing: after mending it by hand."""
    from app.platform.operations.actions import NotRecorded
    from app.platform.postgres import migrations
    from app.platform.postgres.operator import actions

    targets, consumers_url = _targets(), settings_with("owner_url").consumers_owner_url
    or_fail(lambda: migrations.force(targets, version))
    click.echo(f"the schema counts as version {version}")
    try:
        asyncio.run(actions(consumers_url).record("migrate force", {"version": version}))
    except NotRecorded as error:  # a schema under repair may lack the table
        click.echo(f"note: done, but {error}", err=True)
