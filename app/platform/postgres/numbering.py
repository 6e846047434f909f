"""Columns that a sequence numbers, and whether it has fallen behind: a logical copy leaves it at its beginning.

What is written then is numbered before what is there: an event would leave before those that happened before it, and an
operator's command could not be recorded.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Numbered:
    """A column that a sequence numbers. `newest` is a query for the highest number that matters, found by an index."""

    table: str
    column: str
    sequence: str
    newest: str

    @property
    def places(self) -> str:
        """A query for the sequence's place and the highest number. Numbers are given before their rows can be seen,
        and the sequence is read after the snapshot was taken: without a copy it is never behind.
        """
        return f"""
            SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END, coalesce(({self.newest}), 0)
            FROM {self.sequence}
        """

    @property
    def move_on(self) -> str:
        """A statement that lets it go on behind all rows that there are."""
        return f"SELECT setval('{self.sequence}', max({self.column})) FROM {self.table}"


def of_an_outbox(schema: str) -> Numbered:
    """The events of the outbox in the schema. Order matters among the unsent ones; of the others the last that was sent
    is looked at.
    """
    events, leases = f"{schema}.outbox_events", f"{schema}.outbox_leases"
    return Numbered(
        events,
        "id",
        f"{events}_id_seq",
        f"""
            SELECT max(id) FROM (
                SELECT newest.id FROM {leases} AS p CROSS JOIN LATERAL (
                    SELECT id FROM {events} WHERE partition = p.partition AND sent_at IS NULL
                    ORDER BY id DESC LIMIT 1
                ) AS newest
                UNION ALL
                (SELECT id FROM {events} WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1)
            ) AS ids
        """,
    )


CONSUMERS: Final = (Numbered("audit.actions", "id", "audit.actions_id_seq", "SELECT max(id) FROM audit.actions"),)
"""In the consumers' database."""
