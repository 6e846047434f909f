"""The settings of cashback."""

import re
from typing import Annotated, Final

from msgspec import Meta

from app.contexts.rewards.domain.tokens import Rate, Token
from app.kernel.money import Currency
from app.platform.process.settings import Port, Section, entries

_RATE: Final = re.compile(r"([A-Z]{3,5})=(\d{1,12})(?:\.(\d{1,18}))?")


def rates(text: str) -> str:
    """The text, once it says what currencies are worth.

    Raises:
        ValueError: it does not.
    """
    named = [_read(entry)[0] for entry in entries(text)]
    if len(named) > len(set(named)):
        raise ValueError("says twice what a currency is worth")
    return text


def _read(entry: str) -> tuple[Currency, Rate]:
    found = _RATE.fullmatch(entry)
    if found is None:
        raise ValueError("has to be like USD=1,EUR=1.08: tokens for a unit of each currency, with up to 18 decimals")
    currency, whole, more = found.groups()
    digits = more or ""
    rate = Rate(int(whole + digits), 10 ** len(digits))
    if rate.numerator == 0:
        raise ValueError("says that a currency is worth nothing: leave it out")
    return Currency(currency), rate


class RewardsSettings(Section, frozen=True, kw_only=True):
    """What cashback is given in."""

    token_decimals: Annotated[int, Meta(ge=0, le=36)] = 6
    """Of a whole token: as its contract has them."""
    token_rates: Annotated[str, Meta(extra={"is_list": True, "check": rates})] = "USD=1"  # noqa: S105 -- no secret: what a token is worth
    """Whole tokens for a unit of a currency."""
    rewards_metrics_port: Port = 0

    @property
    def token(self) -> Token:
        """The token."""
        return Token(self.token_decimals, dict(_read(entry) for entry in entries(self.token_rates)))
