"""The settings of auctions."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

from msgspec import Meta

from app.contexts.auctions.domain.opening import House
from app.contexts.auctions.domain.steps import Steps
from app.kernel.currencies import is_well_formed
from app.kernel.money import Currency
from app.platform.process.settings import Section, entries

ELSEWHERE: Final = "*"
_USUAL: Final = "*=0:5/100:25/500:50/2500:100/10000:250/25000:500/50000:1000/100000:2500/250000:5000/500000:10000"


def steps_of(text: str) -> Mapping[str, Steps]:
    """The steps of each currency that the text names, and of all others (`*`).

    Raises:
        ValueError: it does not say so.
    """
    named: dict[str, Steps] = {}
    for entry in entries(text):
        currency, _, table = entry.partition("=")
        if not is_well_formed(currency) and currency != ELSEWHERE:
            raise ValueError("has to be like *=0:5/100:25,JPY=0:100: from which price on which step, of each currency")
        if currency in named:
            raise ValueError(f"says twice which steps {currency} has")
        named[currency] = Steps.read(table)
    if ELSEWHERE not in named:
        raise ValueError("does not say which steps other currencies have: *=0:5/100:25")
    return named


def _steps(text: str) -> str:
    steps_of(text)
    return text


class AuctionsSettings(Section, frozen=True, kw_only=True):
    """What auctions are opened with. Of those that are there nothing changes."""

    auction_extend_s: Annotated[float, Meta(ge=0, le=86_400)] = 120.0
    """A bid moves the end to so many seconds behind itself, unless it is later already."""
    auction_steps: Annotated[str, Meta(extra={"is_list": True, "check": _steps})] = _USUAL
    """By how many minor units a bid has to be higher than the price."""

    def house(self, currency: Currency) -> House:
        """What an auction in this currency is opened with."""
        return House(self.steps(currency), timedelta(seconds=self.auction_extend_s))

    def steps(self, currency: Currency) -> Steps:
        """The steps of auctions in this currency."""
        known = steps_of(self.auction_steps)
        return known.get(currency) or known[ELSEWHERE]
