"""What every session with PostgreSQL has to be, whatever its role, its database or the environment make of it.

Roles and databases hand settings down to those who log in. Some change what a value looks like, where a table is
looked for, or what a COMMIT promises. So the first statements of a session set what this service goes by, in place of
the start packet's `options`, which poolers refuse.

Behind a pooler a session is not ours: what is set there is another client's next. Only what poolers carry over with the
client is set then. The rest is looked at, and without it there is no session: it says what is wrong, and what mends it.
"""

from collections.abc import Collection, Generator, Mapping
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

Settings = Mapping[str, int | str]
"""Settings of PostgreSQL by their names as in `pg_settings`. Times are milliseconds."""

_ALWAYS: Final[Settings] = {
    # What texts, times and numbers look like.
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": 1,
    "array_nulls": "on",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    # What is looked at.
    "search_path": "public",
    "row_security": "on",
    # What a transaction sees, what its COMMIT waits for, and that we hear of it when that was given up.
    "default_transaction_isolation": "read committed",
    "synchronous_commit": "on",
    "client_min_messages": "warning",
    # Who ends a session.
    "exit_on_error": "off",
    "idle_session_timeout": 0,
    "transaction_timeout": 0,
}

_CARRIED_OVER: Final = frozenset({"DateStyle", "TimeZone", "standard_conforming_strings"})
"""What poolers see when a client sets it, and bring to whatever session it gets next."""

# What must hold, with what would do as well. The schemas are told by the first of them that is there.
_HAS_TO_BE: Final[Mapping[str, Collection[str]]] = {
    "search_path": ("public",),
    "row_security": ("on",),  # else whatever a tenant's wall stands before is refused, in place of the rows behind it
    "default_transaction_isolation": ("read committed",),
    "synchronous_commit": ("on", "remote_apply"),
    "client_min_messages": ("warning", "notice", "log", "debug1", "debug2", "debug3", "debug4", "debug5"),
    "IntervalStyle": ("postgres",),
    "extra_float_digits": ("1", "0", "2", "3"),
    "array_nulls": ("on",),
    "session_replication_role": ("origin",),  # else foreign keys hold nothing; only superusers set it
    # libpq looks for a session that can write, and a pooler answers with what it has seen of another one.
    "transaction_read_only": ("off",),
}

_LOOK: Final = """
    SELECT pg_backend_pid(),
           jsonb_object_agg(name, CASE name WHEN 'search_path' THEN current_schema() ELSE setting END)
    FROM pg_settings WHERE name = ANY(%b::text[])
"""
_SET: Final = "SELECT set_config(name, value, false) FROM unnest(%b::text[], %b::text[]) AS s (name, value)"


class UnfitSession(psycopg.OperationalError):
    """The server gives sessions that this service cannot work in; the message names the setting, and what mends it."""


def session_url(url: str, application_name: str) -> str:
    """The connection string, with what libpq has to know before there is a session.

    Several hosts are allowed: the one that can write is used.
    """
    given = conninfo_to_dict(url)
    return make_conninfo(
        url,
        application_name=application_name,
        options=given.get("options") or "",  # not PGOPTIONS, which poolers refuse
        client_encoding="utf8",  # what texts are encoded in, whatever the environment says
        target_session_attrs=given.get("target_session_attrs") or "read-write",
        connect_timeout=given.get("connect_timeout") or "2",
        # Without it a silent network partition is noticed only after minutes.
        tcp_user_timeout=given.get("tcp_user_timeout") or "3000",
        keepalives_idle=given.get("keepalives_idle") or "5",
        keepalives_interval=given.get("keepalives_interval") or "2",
        keepalives_count=given.get("keepalives_count") or "3",
    )


async def begin_session(connection: AsyncConnection[Any], settings: Settings) -> bool:
    """Set what every session needs, and these settings; whether it is a session of our own, with no pooler before it.

    The connection is in autocommit.

    Raises:
        UnfitSession: a setting is wrong that cannot be set.
    """
    steps = _beginning(connection.info, settings)
    query, values = next(steps)
    while True:
        rows = await (await connection.execute(query, values)).fetchall()
        try:
            query, values = steps.send(rows)
        except StopIteration as end:
            return bool(end.value)


def begin_session_now(connection: Connection[Any], settings: Settings) -> bool:
    """The same, for a connection that blocks."""
    steps = _beginning(connection.info, settings)
    query, values = next(steps)
    while True:
        rows = connection.execute(query, values).fetchall()
        try:
            query, values = steps.send(rows)
        except StopIteration as end:
            return bool(end.value)


def reason(error: psycopg.Error) -> str:
    """Why there is no work to be done, in the first line of libpq's or the server's own words; else the error's kind.

    Others are not quoted: values may be in them.
    """
    kind = f"{type(error).__name__} {error.sqlstate or ''}".rstrip()
    lines = (error.diag.message_primary or str(error)).strip().splitlines()
    return lines[0] if is_away(error) and lines else kind


def is_away(error: psycopg.Error) -> bool:
    """Whether the error says that the database cannot be reached, or takes no work."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(("08", "57", "53", "28", "3D"))


_Step = tuple[str, tuple[list[str], ...]]


def _beginning(info: psycopg.ConnectionInfo, settings: Settings) -> Generator[_Step, list[Any], bool]:
    """The statements that begin a session, each sent for its rows; at the end whether the session is our own."""
    wanted = {name: str(value) for name, value in {**_ALWAYS, **settings}.items()}
    ((pid, found),) = yield _LOOK, ([*wanted, *_HAS_TO_BE],)
    own: bool = pid == info.backend_pid
    if found["synchronous_commit"] in _HAS_TO_BE["synchronous_commit"]:
        del wanted["synchronous_commit"]
    # Older servers do not know all of them.
    wanted = {name: value for name, value in wanted.items() if name in found and (own or name in _CARRIED_OVER)}
    for name, good in _HAS_TO_BE.items():
        if own and name == "transaction_read_only":
            continue  # libpq has seen to it, unless the URL asks for another kind of session
        if name not in wanted and found[name] not in good:
            raise UnfitSession(_complaint(info, name, found[name], next(iter(good)), own=own))
    yield _SET, (list(wanted), list(wanted.values()))
    return own


def _complaint(info: psycopg.ConnectionInfo, name: str, value: str | None, needed: str, *, own: bool) -> str:
    if name == "transaction_read_only":
        return "behind the pooler is a standby, or default_transaction_read_only is on for the role or the database"
    mended = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
        sql.Identifier(info.user), sql.Identifier(info.dbname), sql.SQL(name), sql.Literal(needed)
    )
    why = "the service's role cannot set it" if own else "behind a pooler a session cannot set it"
    return f"{name} is {value or 'without a schema'} and has to be {needed}, and {why}: {mended.as_string(None)}"
