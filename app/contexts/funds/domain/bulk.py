"""Several transfers of one user, asked for at once."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.contexts.funds.domain.ids import TransferId
from app.kernel.ids import UserId


class BulkMode(StrEnum):
    """What a refusal does to the others."""

    ALL = "all"
    """Every transfer is done, or none."""
    EACH = "each"
    """Each is done or refused by itself, in their order."""


class Bulk(NamedTuple):
    """A bulk as it was done: of each transfer that was asked for its id, or the code of what refused it."""

    id: UUID
    sender: UserId
    mode: BulkMode
    fingerprint: bytes
    asked: int
    outcomes: tuple[TransferId | str, ...]

    @property
    def completed(self) -> Sequence[TransferId]:
        """The transfers that were done, in their order."""
        return [outcome for outcome in self.outcomes if not isinstance(outcome, str)]
