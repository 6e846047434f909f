"""What a transaction offers for its place in a block, a unit of gas (EIP-1559), in wei."""

from dataclasses import dataclass
from typing import Final

LAVISH: Final = 16
_RAISE: Final = 8
"""A replacement offers an eighth more at the least: nodes take none for less than a tenth."""


@dataclass(frozen=True, slots=True)
class Market:
    """What blocks ask for now: the base fee, and the tip that gets a transaction in."""

    base: int
    tip: int


@dataclass(frozen=True, slots=True)
class Fees:
    """The most that is paid, and how much of it may be the tip."""

    most: int
    tip: int


def fees_for(market: Market) -> Fees:
    """Fees that last while the base fee doubles."""
    return Fees(2 * market.base + market.tip, market.tip)


def are_outbid(fees: Fees, market: Market) -> bool:
    """Whether a transaction with these fees has no place in the next block."""
    return fees.most < market.base + market.tip or fees.tip < market.tip


def are_lavish(fees: Fees, market: Market) -> bool:
    """Whether they are so much more than the market asks for that offering still more will not help: it is not for its
    fees that the transaction waits."""
    return fees.most >= LAVISH * fees_for(market).most


def raised(fees: Fees, market: Market) -> Fees:
    """The fees of a replacement: those that the market asks for, and so much more than before that nodes take it."""
    wanted = fees_for(market)
    tip = max(_raised(fees.tip), wanted.tip)
    return Fees(max(_raised(fees.most), wanted.most, tip), tip)


def _raised(fee: int) -> int:
    return fee + fee // _RAISE + 1
