"""The databases of this house: whose tables are in which, as the settings say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from app.main import contexts
from app.platform.postgres import grants, numbering
from app.platform.postgres.home import Tables
from app.platform.postgres.schema import Expected
from app.platform.postgres.target import Target
from app.platform.process.settings import Settings

CONSUMERS: Final = Tables(Path(__file__).parents[2] / "migrations/consumers", grants.CONSUMERS, numbering.CONSUMERS)
"""What the consumers keep."""


def served(settings: Settings) -> list[Target]:
    """The databases as services log in to them, the shared one first."""
    pairs = [(settings.home(context.name).url, context.tables) for context in contexts.of(settings)]
    return list(_by_database([*pairs, (settings.consumers_url, CONSUMERS)]))


def owned(settings: Settings) -> list[Target]:
    """The databases as migrations log in to them."""
    pairs = [(settings.home(context.name).owner_url, context.tables) for context in contexts.of(settings)]
    return list(_by_database([*pairs, (settings.consumers_owner_url, CONSUMERS)]))


def at(url: str, consumers_url: str | None = None) -> list[Target]:
    """The same where all contexts share one database, and the consumers may have another."""
    return served(contexts.load({"DATABASE_URL": url, "AUDIT_DATABASE_URL": consumers_url or ""}))


def expected(settings: Settings, url: str) -> Expected:
    """What the database at the URL has to have."""
    return next(target.expected for target in served(settings) if target.url == url)


def _by_database(pairs: Sequence[tuple[str, Tables | None]]) -> Iterator[Target]:
    for url in dict.fromkeys(url for url, _ in pairs):
        yield Target(url, [tables for where, tables in pairs if tables and where == url])
