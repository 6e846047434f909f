"""Schemas of versions that have been, for what moves from them and back."""

from app.main import databases
from app.platform.postgres import migrations
from app.platform.postgres.home import number


def down_to(url: str, version: int) -> list[str]:
    """Undo what came after the version; the names of what was undone, newest first."""
    targets = databases.at(url)
    newer = [name for target in targets for name in migrations.applied(target) if number(name) > version]
    return migrations.down(targets, len(newer))
