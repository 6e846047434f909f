"""Money: whole minor units of one currency."""

from dataclasses import dataclass
from typing import NewType

Currency = NewType("Currency", str)
"""A currency's code, three to five capital letters: ISO 4217's, or one that the settings add."""

MAX_MINOR = 2**63 - 1
"""The largest amount and the largest balance: what a PostgreSQL bigint holds."""


@dataclass(frozen=True, slots=True)
class Money:
    """A positive amount in minor units (cents) of a currency.

    Raises:
        ValueError: the amount is not within 1 … 2^63-1.
    """

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if not 1 <= self.amount_minor <= MAX_MINOR:
            raise ValueError(f"an amount is within 1 and {MAX_MINOR}, not {self.amount_minor}")
