"""What becomes of an operation, and of a hold."""

from dataclasses import dataclass
from uuid import UUID

from app.kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Done:
    """The operation has happened, now or before. `ids` are what its members made or changed, in their order: a
    transfer's id, a hold's, the transaction's of a credit.
    """

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not happen. But for `OperationReused`, which says that another one may have, it never will."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The operation has not happened, and never will."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The hold is closed, now or before: so much went to others, so much came back, in minor units."""

    captured_minor: int
    released_minor: int


Outcome = Done | Refused
"""What became of an operation. The same operation again gets the same."""
