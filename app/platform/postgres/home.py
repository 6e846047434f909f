"""What a context keeps in a database: its migrations, what may be done in it, and what is numbered in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.platform.postgres.grants import Granted
from app.platform.postgres.numbering import Numbered


class MigrationError(Exception):
    """A migration could not be run; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The folder of migrations, and what the database has to have once they were run."""

    folder: Path
    grants: Sequence[Granted] = ()
    sequences: Sequence[Numbered] = ()
    append_only: Sequence[str] = ()
    """Tables whose rows no service may change."""

    @property
    def migrations(self) -> list[str]:
        """The migrations, in order: `0001.ledger`."""
        return sorted(path.stem for path in self.folder.glob("*.sql") if not path.stem.endswith(".rollback"))


def number(name: str) -> int:
    """A migration's number on the one line that goes over all folders."""
    return int(name.split(".", 1)[0])
