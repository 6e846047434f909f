"""A report in a table of its transaction's own: how it gets there, and what is wrong with one that does not.

PostgreSQL reads it itself: there is nothing quicker, and no line of it is ever held here.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import psycopg
from psycopg import AsyncConnection

from app.contexts.reconciliation.domain.refusals import NotAReport
from app.contexts.reconciliation.domain.report import COLUMNS

# The header is line 1. What a line is about is found by `id`: a charge by its payment's.
_MAKE: Final = """
    CREATE TEMPORARY TABLE report_lines (
        line        bigint GENERATED ALWAYS AS IDENTITY (START WITH 2 CACHE 1000),
        type        text COLLATE "C" NOT NULL,
        charge_id   uuid NOT NULL,
        payment_id  uuid NOT NULL,
        refund_id   uuid,
        amount      bigint NOT NULL,
        currency    text COLLATE "C" NOT NULL,
        occurred_at timestamptz NOT NULL,
        id          uuid GENERATED ALWAYS AS (coalesce(refund_id, payment_id)) STORED,
        is_again    boolean,
        CONSTRAINT type CHECK (type IN ('charge', 'refund')),
        CONSTRAINT refund_id CHECK (
            (refund_id IS NOT NULL) = (type = 'refund') AND (refund_id <> payment_id) IS NOT FALSE
        ),
        CONSTRAINT occurred_at CHECK (occurred_at >= '0001-01-01 00:00Z' AND occurred_at < '10000-01-01 00:00Z')
    ) ON COMMIT DROP
"""
_COPY: Final = f"""
    COPY pg_temp.report_lines ({", ".join(COLUMNS)}) FROM STDIN (FORMAT csv, HEADER, FORCE_NULL (refund_id))
"""
# Sorting ids, which nearly come in order, is less than half of grouping by them: that is left to who needs it.
_ARE_DOUBLED: Final = "SELECT count(id) > count(DISTINCT id) FROM pg_temp.report_lines"
# What comes more than once: all but the first.
_AGAIN: Final = """
    UPDATE pg_temp.report_lines l SET is_again = true
    FROM (SELECT id, min(line) AS first FROM pg_temp.report_lines GROUP BY id HAVING count(*) > 1) d
    WHERE d.id = l.id AND l.line > d.first
"""
# Without a look a plan is made for a table of which nothing is known; a look at a few rows tells enough.
_LOOK: Final = (
    "ALTER TABLE pg_temp.report_lines ALTER id SET STATISTICS 1, ALTER payment_id SET STATISTICS 1",
    "ANALYZE pg_temp.report_lines (id, payment_id)",
)
# What fits what is here is of a line that is one; only the others are looked at.
_WRONG: Final = """
    SELECT line, CASE WHEN their_amount <= 0 THEN 'amount' ELSE 'currency' END FROM pg_temp.report_met
    WHERE line IS NOT NULL AND (their_amount <= 0 OR their_currency !~ '^[A-Z]{3,5}$')
    ORDER BY line LIMIT 1
"""

_RULES: Final = {
    "type": "must be charge or refund",
    "charge_id": "must be a UUID",
    "payment_id": "must be a UUID",
    "refund_id": "must be a UUID on a refund, another than its payment's, and empty on a charge",
    "amount": "must be a whole number of minor units, 1 or more",
    "currency": "must be the code of a currency, such as USD",
    "occurred_at": "must be a time of RFC 3339, such as 2026-01-31T12:00:00Z",
}
_WHERE: Final = re.compile(r"line (\d+)(?:, column (\w+))?")
_NO_BACKSLASH: Final = "must have no backslash"


async def stage(connection: AsyncConnection, report: Iterator[bytes]) -> bytes:
    """Read the report into `report_lines`, in the transaction that the connection has; the SHA-256 of its bytes.

    Raises:
        NotAReport: a line is none of a report.
    """
    digest = sha256()
    await connection.execute(_MAKE.encode(), prepare=False)
    try:
        async with connection.cursor().copy(_COPY.encode()) as copy:
            for piece in report:
                if b"\\" in piece:  # a line of `\.` ends a copy, and what is behind it would be left out unseen
                    raise NotAReport("report", _NO_BACKSLASH)
                digest.update(piece)
                await copy.write(piece)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise _told(error) from None
    for statement in _LOOK:
        await connection.execute(statement.encode(), prepare=False)
    cursor = await connection.execute(_ARE_DOUBLED.encode(), prepare=False)
    if await cursor.fetchone() == (True,):
        await connection.execute(_AGAIN.encode(), prepare=False)
    return digest.digest()


async def check(connection: AsyncConnection) -> None:
    """See to it that what was met are lines of a report.

    Raises:
        NotAReport: one is none.
    """
    cursor = await connection.execute(_WRONG.encode(), prepare=False)
    for line, column in await cursor.fetchall():
        raise NotAReport(f"line {line}, {column},", _RULES[column])


def _told(error: psycopg.Error) -> NotAReport:
    """What is wrong, without a value of the report."""
    found = _WHERE.search(error.diag.context or "")
    line = f"line {found[1]}" if found else "report"
    column = (found and found[2]) or error.diag.column_name or error.diag.constraint_name
    if column in _RULES:
        return NotAReport(f"{line}, {column},", _RULES[column])
    return NotAReport(line, f"must have {len(COLUMNS)} fields in UTF-8, joined by commas")
