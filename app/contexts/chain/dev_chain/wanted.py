"""What chain there shall be, whoever makes its blocks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

ENOUGH_WEI: Final = 10**21
"""What a funded account has, when it has less than half of it at the start."""


class Wanted(NamedTuple):
    """A chain."""

    chain_id: int
    folder: Path | None
    """Where it is kept; None: in memory, until the process ends."""
    interval_s: float
    """A block that often, besides those on demand; 0: none."""
    funded: Sequence[str]
    """Accounts that shall have money."""
