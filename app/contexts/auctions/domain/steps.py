"""By how much a bid has to be higher than the price: a table of steps, from which price on."""

import re
from dataclasses import dataclass
from typing import Final

_ENTRY: Final = re.compile("([0-9]{1,18}):([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Steps:
    """Prices in minor units, the first of them 0, each with the step from there on: `((0, 5), (100, 25))`.

    Raises:
        ValueError: it is not such a table.
    """

    table: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.table]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or not all(step for _, step in self.table):
            raise ValueError("has to be like 0:5/100:25: from which price on, from 0, which step, of 1 at least")

    @classmethod
    def read(cls, text: str) -> "Steps":
        """The table of a text like `0:5/100:25`.

        Raises:
            ValueError: it is not such a text.
        """
        found = [_ENTRY.fullmatch(entry) for entry in text.split("/")]
        return cls(tuple((int(entry[1]), int(entry[2])) for entry in found if entry) if all(found) else ())

    def __str__(self) -> str:
        return "/".join(f"{start}:{step}" for start, step in self.table)

    def at(self, price_minor: int) -> int:
        """The step at this price, in minor units."""
        return next(step for start, step in reversed(self.table) if start <= price_minor)
