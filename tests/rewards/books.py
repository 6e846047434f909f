"""A second model of cashback: slow, obvious, and written from the rules alone. It knows no class of the product's.

It keeps what is earned as heaps of base units, one token after the other moved by hand, and says nothing of how.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

AT_ONCE = 10


@dataclass
class Heap:
    """What was earned at once."""

    amount: int
    accrued: int
    minting: int = 0
    minted: int = 0
    reversed: int = 0
    attempts: int = 0
    outcomes: list[str] = field(default_factory=list)


@dataclass
class Books:
    """Somebody's cashback."""

    address: str | None = None
    news: int = 0
    debt: int = 0
    heaps: list[Heap] = field(default_factory=list)
    requests: list[tuple[int, int, int, str]] = field(default_factory=list)
    """Heap, attempt, amount, address."""

    def earn(self, amount: int) -> None:
        self.heaps.append(Heap(amount, amount))
        self.pay()
        self.ask(range(len(self.heaps)))

    def reverse(self, at: int, share: Fraction) -> None:
        """Give back the cashback of such a share of what was bought."""
        heap = self.heaps[at]
        back = min(ceil(heap.amount * share), heap.amount - heap.reversed)
        heap.reversed += back
        while back and heap.accrued:
            step = min(back, heap.accrued)
            heap.accrued, back = heap.accrued - step, back - step
        self.debt += back
        self.pay()

    def link(self, address: str | None, news: int) -> None:
        if news > self.news:
            self.address, self.news = address, news
            self.ask(range(len(self.heaps)))

    def minted(self, at: int) -> None:
        heap = self.heaps[at]
        heap.minted, heap.minting = heap.minting, 0

    def failed(self, at: int) -> None:
        heap = self.heaps[at]
        heap.accrued, heap.minting = heap.accrued + heap.minting, 0
        self.pay()
        if heap.attempts < AT_ONCE:
            self.ask([at])

    def pay(self) -> None:
        """The oldest first."""
        for heap in self.heaps:
            paid = min(self.debt, heap.accrued)
            heap.accrued, self.debt = heap.accrued - paid, self.debt - paid

    def ask(self, heaps: "range | list[int]") -> None:
        for at in heaps:
            heap = self.heaps[at]
            if self.address is not None and heap.accrued:
                heap.attempts += 1
                heap.minting, heap.accrued = heap.accrued, 0
                self.requests.append((at, heap.attempts, heap.minting, self.address))

    @property
    def balance(self) -> tuple[int, int, int, int]:
        """Accrued, minting, minted, debt."""
        return (
            sum(heap.accrued for heap in self.heaps),
            sum(heap.minting for heap in self.heaps),
            sum(heap.minted for heap in self.heaps),
            self.debt,
        )

    @property
    def left(self) -> int:
        """What is earned and not reversed."""
        return sum(heap.amount - heap.reversed for heap in self.heaps)


def base_units(amount_minor: int, basis_points: int, rate: Fraction, decimals: int, digits: int) -> int:
    """What such a share of money is worth, rounded down once."""
    units: int = floor(Fraction(amount_minor, 10**digits) * Fraction(basis_points, 10_000) * rate * 10**decimals)
    return units
