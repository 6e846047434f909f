"""Tokens: whole base units, and what money is worth in them. All of it in integers: nothing is rounded but once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.kernel.currencies import minor_digits
from app.kernel.money import Currency, Money

MOST: Final = 2**256 - 1
"""What a contract can count, and so what somebody can have."""
WHOLE_BP: Final = 10_000
"""Basis points of all."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens for a unit of a currency: a fraction of whole numbers."""

    numerator: int
    denominator: int = 1


@dataclass(frozen=True, slots=True)
class Token:
    """The token that cashback is given in: the decimals of a whole one, and what currencies are worth."""

    decimals: int
    rates: Mapping[Currency, Rate]

    def share_of(self, money: Money, basis_points: int) -> int:
        """The share of the money in base units, rounded down; 0 where nobody says what its currency is worth."""
        rate = self.rates.get(money.currency)
        if rate is None:
            return 0
        share: int = money.amount_minor * basis_points * rate.numerator * 10**self.decimals
        whole: int = WHOLE_BP * rate.denominator * 10 ** minor_digits(money.currency)
        return min(share // whole, MOST)


def part_of(earned: int, refunded: int, paid: int) -> int:
    """What of the base units goes back when so much of what was paid does: in proportion, rounded up."""
    return -(-earned * refunded // paid)
