"""`strongbox verify`: every check that the settings reach, run and reported."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import click
import psycopg
from psycopg.errors import InsufficientPrivilege, InvalidSchemaName, UndefinedTable

from app.kernel.errors import Unavailable
from app.main import contexts
from app.platform.operations import report
from app.platform.operations.verify import OFFENDERS_NAMED
from app.platform.operations.verify import verify as run_checks
from app.platform.postgres.ending import EndedBySignals
from app.platform.postgres.evidence import Checks, Database, lanes
from app.platform.postgres.inspection import why
from app.platform.process import terminal
from app.platform.process.settings import Settings


def checks(settings: Settings) -> Sequence[Checks]:
    """What contexts have checked."""
    return [
        context.checks(settings, Database(settings.url_setting(context.name), settings.home(context.name).url))
        for context in contexts.of(settings)
        if context.checks
    ]


async def verify(settings: Settings, as_json: bool, named: int = OFFENDERS_NAMED) -> int:
    """Run the checks and print the findings, `named` offenders of each. 0 when every claim holds, 1 when one does not.

    SIGTERM ends it as Ctrl-C does.

    Raises:
        Abort: it was ended.
        Unavailable: a database is out of reach, its schema is behind, or it does not let us look.
    """
    notes: list[str] = []
    trail = Database("AUDIT_DATABASE_URL" if settings.audit_database_url else "DATABASE_URL", settings.consumers_url)
    try:
        with EndedBySignals() as end:
            async with AsyncExitStack() as stack:
                progress = stack.enter_context(terminal.progress_bar(not as_json and terminal.on_a_terminal()))
                found = await lanes(checks(settings), trail, stack, notes.append, progress, end.connections.append)
                findings = await run_checks(found, progress, named)
    except (psycopg.OperationalError, UndefinedTable, InvalidSchemaName, InsufficientPrivilege) as error:
        raise Unavailable(why(error)) from error
    if as_json:
        click.echo(report.as_json(findings, notes))
    else:
        terminal.show(report.as_text(findings, notes))
    return 0 if all(finding.holds for finding in findings) else 1
