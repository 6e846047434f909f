"""What the stock does, as plainly as it can be said: one command after the other, in memory."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Wanted = Mapping[int, int]
"""So many of each product, by the products' numbers."""


@dataclass
class SlowReservation:
    """One that was asked for: what of, and where each of its lines stands; None where it was refused."""

    content: tuple[int | None, tuple[tuple[int, int], ...]]
    lines: dict[int, str] | None
    missing: Mapping[int, int] = field(default_factory=dict)


@dataclass
class SlowStock:
    """Of each product what is left, reserved and sold, and how often it moved; what became of each operation."""

    left: list[int]
    offered: Sequence[bool]
    reserved: list[int] = field(init=False)
    sold: list[int] = field(init=False)
    moves: list[int] = field(init=False)
    known: dict[int, SlowReservation | None] = field(default_factory=dict)
    """None for what is forbidden."""
    bought: Counter[tuple[int, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.reserved, self.sold, self.moves = ([0] * len(self.left) for _ in range(3))

    def reserve(self, name: int, buyer: int | None, wanted: Wanted) -> object:
        content = buyer, tuple(sorted(wanted.items()))
        if name not in self.known:
            have = {n: self.left[n] - self.reserved[n] if self.offered[n] else 0 for n in wanted}
            missing = {n: have[n] for n, qty in wanted.items() if have[n] < qty}
            self.known[name] = SlowReservation(content, None if missing else dict.fromkeys(wanted, "RESERVED"), missing)
            for n, qty in {} if missing else wanted.items():
                self.reserved[n] += qty
                self.moves[n] += 1
        known = self.known[name]
        if known is not None and known.content != content:
            return "ReservationReused"
        return known.missing if known is not None and known.missing else self._standing(name)

    def take(self, name: int) -> object:
        known = self.known.get(name)
        if known is None or known.lines is None or {*known.lines.values()} == {"RETURNED"}:
            return "ReservationNotFound"
        for n, qty in known.content[1]:
            if known.lines[n] == "RESERVED":
                known.lines[n] = "TAKEN"
                self.reserved[n] -= qty
                self.left[n] -= qty
                self.sold[n] += qty
                self.moves[n] += 1
                if known.content[0] is not None:
                    self.bought[known.content[0], n] += 1
        return None

    def give_back(self, name: int, products: Sequence[int] | None) -> object:
        known = self.known.get(name)
        if known is None or known.lines is None or not {*(products or ())} <= known.lines.keys():
            return "ReservationNotFound"
        for n, qty in known.content[1]:
            if products is not None and n not in products:
                continue
            if known.lines[n] == "RESERVED":
                self.reserved[n] -= qty
            elif known.lines[n] == "TAKEN":
                self.left[n] += qty
                self.sold[n] -= qty
                if known.content[0] is not None:
                    self.bought[known.content[0], n] -= 1
            self.moves[n] += known.lines[n] != "RETURNED"
            known.lines[n] = "RETURNED"
        return None

    def forbid(self, name: int) -> object:
        self.known.setdefault(name, None)
        return self._standing(name)

    def _standing(self, name: int) -> object:
        """What is reserved or taken by it; that it is forbidden, where nothing is."""
        known = self.known[name]
        lines = {} if known is None or known.lines is None else known.lines
        wanted = () if known is None else known.content[1]
        return {(n, qty) for n, qty in wanted if lines.get(n, "RETURNED") != "RETURNED"} or "ReservationForbidden"
