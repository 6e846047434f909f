"""Whether a process may serve: each of its databases is one that its contexts can work in."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import psycopg
import structlog

from app.main import databases
from app.platform.postgres.collations import collations_that_changed
from app.platform.postgres.inspection import why
from app.platform.postgres.integrity import append_only_is_enforced, snapshot
from app.platform.postgres.schema import Expected, problems
from app.platform.postgres.sessions import UnfitSession, is_away
from app.platform.postgres.target import Target
from app.platform.process.running import CannotServe
from app.platform.process.settings import Settings

SCHEMA_PATIENCE_S = 30.0

_log = structlog.get_logger(__name__)


async def check_schema(settings: Settings, only: Sequence[str] = ()) -> None:
    """Refuse to serve in a database that contexts cannot work in. One that is not there yet is waited for, a while.

    Where `only` some contexts work their databases are looked at.

    Raises:
        CannotServe: a schema is behind, something else is wrong with a database, or it stayed away.
    """
    loop = asyncio.get_running_loop()
    patience = loop.time() + SCHEMA_PATIENCE_S
    homes = {settings.home(name).url for name in only or settings.sections}
    for target in (each for each in of_contexts(settings) if each.url in homes):
        while True:
            try:
                await _look_at(target)
                break
            except psycopg.Error as error:
                passes = is_away(error) and not isinstance(error, UnfitSession)
                if not passes or loop.time() > patience:
                    raise CannotServe(why(error)) from None
                _log.warning("database_out_of_reach", reason=why(error), patience_s=round(patience - loop.time()))
                await asyncio.sleep(1)


def of_contexts(settings: Settings) -> Sequence[Target]:
    """The databases of contexts. One in which only consumers keep something is looked at by them."""
    homes = {settings.home(name).url for name in settings.sections}
    return [target for target in databases.served(settings) if target.url in homes]


def needed(target: Target) -> Expected:
    """What no context can do without: a grant of the consumers' that is lost takes no API away."""
    own = Target(target.url, [tables for tables in target.tables if tables is not databases.CONSUMERS])
    return replace(target.expected, grants=own.expected.grants, sequences=own.expected.sequences)


async def _look_at(target: Target) -> None:
    async with snapshot(target.url) as books:
        if found := await problems(books, target.expected):
            raise CannotServe("; ".join(f"{name}: {problem}" for name, problem in found.items()))
        append_only = [table for tables in target.tables for table in tables.append_only]
        enforced = [await append_only_is_enforced(books, table) for table in append_only]
        reordered = await collations_that_changed(books)
    if not all(enforced):
        _log.warning("append_only_not_enforced", reason="DATABASE_URL logs in as the owner or a superuser")
    if reordered:
        _log.warning("collation_changed", reason=reordered)
