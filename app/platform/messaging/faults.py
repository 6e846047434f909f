"""Whose fault an error is: the message's, or the process's.

A message is to blame for three kinds of error, and for no other: it is malformed, the tables' constraints refuse it, or
one of its values is none that PostgreSQL takes. All else says something about this process, its settings, its database,
or our own code, and nothing about any message: a good event must not be put aside for it.
"""

import traceback
from pathlib import Path
from typing import Final

import psycopg

from app.platform.messaging.received_events import Malformed
from app.platform.postgres import sessions

# Errors of data that a session's or a database's encoding makes of good text; a NUL, which no text of PostgreSQL has,
# comes to them, too.
_ENCODING: Final = frozenset({"22P05", "22021"})
_NUL: Final = b"\\u0000"
# By SQLSTATE or its class, beside those of a database that takes no work: conflicts, the system; a lock that takes too
# long, a server that may not write (failed over), the time-outs of a session in a transaction.
_BUSY: Final = ("40", "58", "55P03", "25006", "25P03", "25P04")


def is_the_messages(error: BaseException, document: bytes = b"") -> bool:
    """Whether a message is to blame, so that it may be put aside after some attempts. `document` is that message."""
    if isinstance(error, psycopg.DataError):
        return error.sqlstate not in _ENCODING or _NUL in document
    return isinstance(error, Malformed | psycopg.IntegrityError)


def is_away(error: psycopg.Error) -> bool:
    """Whether the database is out of reach, or busy, so that nobody can be served for now."""
    return sessions.is_away(error) or (error.sqlstate or "").startswith(_BUSY)


def reason_of(error: BaseException) -> str:
    """What went wrong, without a word of the message or of its values."""
    if isinstance(error, Malformed):
        return f"malformed: {error}"
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__}{f' {sqlstate}' if sqlstate else ''}"


def place_of(error: BaseException) -> str:
    """The line of code that raised it: the last one that is no library's."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
