"""What the services may do: all privileges of their group role.

Each migration grants what its tables need. Here it stands once more, as a whole: to see what is lacking, and to grant
it again where a copy of the database came without, as by `pg_restore --no-acl`. A test holds one against the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

GROUP: Final = "strongbox_app"
MIGRATIONS_TABLE: Final = "_yoyo_migration"


@dataclass(frozen=True, slots=True)
class Granted:
    """What may be done with a schema, a table or a sequence; of the columns `updates` only those may be updated."""

    kind: str
    schema: str
    name: str
    privileges: tuple[str, ...]
    updates: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """The statement that grants it to the group."""
        columns = (f"UPDATE ({', '.join(self.updates)})",) if self.updates else ()
        where = self.schema if self.kind == "SCHEMA" else f"{self.schema}.{self.name}"
        return f"GRANT {', '.join(self.privileges + columns)} ON {self.kind} {where} TO {GROUP}"

    def each(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        """Every privilege by itself: kind, schema, name, privilege, and the column that it is for."""
        for privilege in self.privileges:
            yield self.kind, self.schema, self.name, privilege, None
        for column in self.updates:
            yield self.kind, self.schema, self.name, "UPDATE", column


def table(name: str, *privileges: str, updates: tuple[str, ...] = (), schema: str = "public") -> Granted:
    """What may be done with a table."""
    return Granted("TABLE", schema, name, privileges, updates)


_MIGRATIONS: Final = table(MIGRATIONS_TABLE, "SELECT")

PUBLIC: Final = (Granted("SCHEMA", "public", "", ("USAGE",)), _MIGRATIONS)
"""In every database of a context."""


def of_an_outbox(schema: str) -> tuple[Granted, ...]:
    """What may be done with the outbox of a context that publishes, in the context's own schema."""
    return (
        Granted("SCHEMA", schema, "", ("USAGE",)),
        table("outbox_events", "SELECT", "INSERT", "UPDATE", "DELETE", schema=schema),
        Granted("SEQUENCE", schema, "outbox_events_id_seq", ("SELECT",)),
        table("outbox_leases", "SELECT", "UPDATE", schema=schema),
    )


CONSUMERS: Final = (
    _MIGRATIONS,
    Granted("SCHEMA", "audit", "", ("USAGE",)),
    table("events", "SELECT", "INSERT", schema="audit"),
    table("actions", "SELECT", "INSERT", schema="audit"),
    Granted("SEQUENCE", "audit", "actions_id_seq", ("SELECT",)),
    table("head", "SELECT", "UPDATE", schema="audit"),
    Granted("SCHEMA", "metrics", "", ("USAGE",)),
    table("totals", "SELECT", "INSERT", "UPDATE", schema="metrics"),
    table("latency", "SELECT", "INSERT", "UPDATE", schema="metrics"),
    table("inbox", "SELECT", "INSERT", "DELETE", schema="metrics"),
)
"""In the consumers' database."""

# By the catalogues: a name in a schema that may not be used is not found. What does not exist is not lacking here.
LACKING: Final = """
    SELECT concat(w.privilege, ' (' || w.updated || ')', ' ON ', w.schema, '.' || nullif(w.name, ''))
    FROM unnest(%(kinds)s::text[], %(schemas)s::text[], %(names)s::text[], %(privileges)s::text[], %(updated)s::text[])
        WITH ORDINALITY AS w (kind, schema, name, privilege, updated, nth)
    CROSS JOIN (SELECT coalesce(%(role)s::name, current_user) AS name) r
    JOIN pg_namespace n ON n.nspname = w.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.updated
    WHERE NOT CASE
        WHEN w.kind = 'SCHEMA' THEN has_schema_privilege(r.name, n.oid, w.privilege)
        WHEN w.kind = 'SEQUENCE' THEN has_sequence_privilege(r.name, c.oid, w.privilege)
        WHEN w.updated IS NULL THEN has_table_privilege(r.name, c.oid, w.privilege)
        ELSE has_column_privilege(r.name, c.oid, a.attnum, w.privilege) END
    ORDER BY w.nth
"""
"""A line for each privilege that a role lacks. See `asked`."""


def asked(role: str | None, grants: Sequence[Granted]) -> dict[str, object]:
    """The parameters of `LACKING`, for the role, or for the one of the connection."""
    each = [one for granted in grants for one in granted.each()]
    names = ("kinds", "schemas", "names", "privileges", "updated")
    return {"role": role, **{name: [one[nth] for one in each] for nth, name in enumerate(names)}}


def in_words(lacking: Sequence[str], most: int = 3) -> str:
    """The first few of them."""
    more = f" and {len(lacking) - most} more" if len(lacking) > most else ""
    return ", ".join(lacking[:most]) + more
