"""What is known of the products on sale: what their sellers did with them, and who saw which version of them when."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import MOST_KEPT, Answer

GONE: Final = sys.maxsize
"""The version of a product that was deleted: there is none behind it."""
NOTHING: Final = 0
"""The version of one that is not there."""


class Write(NamedTuple):
    """From `answered` on the product was of at least that version, and whoever asked knew. `api` did it, between
    `began` and then; None where nobody knows who did."""

    version: int
    began: float
    answered: float
    api: int | None


class Read(NamedTuple):
    """A look that began then, at that API, and the version that it saw."""

    began: float
    api: int
    version: int
    how: str


@dataclass(slots=True)
class Edit:
    """A change that a seller asked for, of a version with so many pieces to one with so many."""

    before: int
    after: int
    of_version: int
    answer: Answer | None = None


@dataclass(slots=True)
class Thing:
    """A product."""

    id: str
    seller: Person
    currency: str
    put_in: int
    edits: dict[str, Edit] = field(default_factory=dict)
    """By their tags, which its events show."""
    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    seen: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """Of each version that was shown: price, quantity, what was available."""
    newest: int = 1
    going_at: float | None = None
    """When it was first asked to be deleted."""

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted, as was answered."""
        return any(write.version == GONE for write in self.writes)

    def is_at_least(self, version: int, answer: Answer, began: float, *, is_firsthand: bool = True) -> None:
        """It is known to be of that version, since the answer to what began then."""
        self.newest = max(self.newest, version if version != GONE else 0)
        self.writes.append(Write(version, began, answer.ended, answer.api if is_firsthand else None))


class Shelf:
    """All of them. `complaints` are of what can be seen at once."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.pairs: dict[str, tuple[Thing, Thing]] = {}
        """By currency, two of one seller's that are put on sale at last, enough of them for everybody."""
        self.unknown_tags: set[str] = set()
        """Of products that may be there: what became of putting them on sale was never learned."""
        self.complaints: list[str] = []
        self.reads = 0

    def live(self, currency: str | None = None) -> list[Thing]:
        """Those on sale, of that currency."""
        return [t for t in self.things.values() if t.going_at is None and currency in (None, t.currency)]

    def looked(self, thing: Thing, answer: Answer, shown: dict[str, Any] | None, how: str) -> None:
        """Note what a look showed of it: nothing is what is there of what is being deleted."""
        if shown is not None:
            version = shown["version"]
            stands = shown["price"], shown["quantity"], shown["available"]
            thing.newest = max(thing.newest, version)
            if thing.seen.setdefault(version, stands) != stands:
                self.complaints.append(
                    f"product {thing.id}: version {version} was shown as {thing.seen[version]} and as {stands}"
                )
            if not 0 <= shown["available"] <= shown["quantity"]:
                self.complaints.append(f"product {thing.id} was shown with {stands}")
        else:
            is_going = thing.going_at is not None and thing.going_at <= answer.ended
            version = GONE if is_going else NOTHING
        self.reads += 1
        if self.reads < MOST_KEPT:
            thing.reads.append(Read(answer.began, answer.api, version, how))

    def listed(self, things: list[Thing], answer: Answer, how: str) -> None:
        """Note what a list that has to have all of these showed of them."""
        shown = {one["product_id"]: one for one in answer.told["products"]}
        for thing in things:
            self.looked(thing, answer, shown.get(thing.id), how)

    def all_complaints(self) -> Iterator[str]:
        """What was shown that cannot be."""
        yield from self.complaints
