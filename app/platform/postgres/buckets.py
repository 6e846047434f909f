"""Buckets: the first column of the keys of whatever grows without end."""

from typing import Final
from uuid import UUID

BUCKETS: Final = 16

ONE_BY_ONE: Final = f"r.bucket BETWEEN 0 AND {BUCKETS - 1}"
"""A condition on the rows `r` that a statement brings along, for an UPDATE of others by their key: true of each. The
planner takes a range for one row in two hundred, and so finds the others by index, one by one, however little it knows
of their table yet.
"""


def bucket_of(owner: UUID) -> int:
    """The bucket of what belongs to this."""
    return owner.int % BUCKETS
