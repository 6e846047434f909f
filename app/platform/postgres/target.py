"""A database with what its contexts keep in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.platform.postgres.home import Tables
from app.platform.postgres.schema import Expected


@dataclass(frozen=True, slots=True)
class Target:
    """A database, and what is kept in it."""

    url: str
    tables: Sequence[Tables]

    @property
    def folders(self) -> list[Path]:
        """The folders of its migrations."""
        return [each.folder for each in self.tables]

    @property
    def expected(self) -> Expected:
        """What it has to have once they were run."""
        return Expected(
            sorted(name for each in self.tables for name in each.migrations),
            list(dict.fromkeys(granted for each in self.tables for granted in each.grants)),
            list(dict.fromkeys(numbered for each in self.tables for numbered in each.sequences)),
        )
