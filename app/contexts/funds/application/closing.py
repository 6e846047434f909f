"""What can end a hold."""

from dataclasses import dataclass

from app.contexts.funds.domain.hold import HoldRef
from app.contexts.funds.domain.operation import Part


@dataclass(frozen=True, slots=True)
class Capture:
    """A hold to be handed over in parts.

    Raises:
        ValueError: no part, a part of nothing, two parts of one user, or one of the hold's owner.
    """

    hold: HoldRef
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        beneficiaries = {part.beneficiary for part in self.parts}
        if not self.parts or any(part.amount_minor < 1 for part in self.parts):
            raise ValueError("a hold is captured in parts, each of something")
        if len(beneficiaries) != len(self.parts) or self.hold.owner in beneficiaries:
            raise ValueError("a hold is captured for others, each with one part")

    @property
    def amount_minor(self) -> int:
        """All of the parts."""
        return sum(part.amount_minor for part in self.parts)


@dataclass(frozen=True, slots=True)
class Release:
    """A hold to be given back."""

    hold: HoldRef


Closing = Capture | Release
