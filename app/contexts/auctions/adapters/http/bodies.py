"""What is said of an auction that is to be."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Struct

from app.contexts.auctions.adapters.http.examples import ENDS_AT, PRODUCT
from app.kernel.money import MAX_MINOR
from app.platform.http.errors import validation
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import TIME_RULE, Amount, Code, Moment, time_of


def _is_amount(given: Any) -> bool:
    return given is None or given <= MAX_MINOR


def _is_time(given: Any) -> bool:
    return given is None or time_of(given) is not None


_AMOUNT: Final = Rule(f"must be an integer between 1 and {MAX_MINOR}", _is_amount)
_TIME: Final = Rule(TIME_RULE, _is_time)


class AuctionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An auction of one piece of a product. Null is as good as nothing: no reserve, no buy-now price, from now on."""

    product_id: Annotated[UUID, Rule("must be a UUID")]
    starting_price: Amount
    currency: Code
    ends_at: Annotated[Moment, _TIME]
    reserve_price: Annotated[Amount | None, _AMOUNT] = None
    buy_now_price: Annotated[Amount | None, _AMOUNT] = None
    starts_at: Annotated[Moment | None, _TIME] = None

    @property
    def times(self) -> tuple[datetime | None, datetime]:
        """When it begins, where that is said, and when it ends."""
        ends_at = time_of(self.ends_at)
        assert ends_at is not None, "it was looked at"
        return (None if self.starts_at is None else time_of(self.starts_at)), ends_at

    def see_to_prices(self) -> None:
        """See to it that starting ≤ reserve ≤ buy-now.

        Raises:
            Problem: they are not.
        """
        highest, named = self.starting_price, "starting_price"
        for name, price in (("reserve_price", self.reserve_price), ("buy_now_price", self.buy_now_price)):
            if price is None:
                continue
            if price < highest:
                raise validation({name: f"must not be less than {named}"})
            highest, named = price, name


AUCTION_BODY: Final = JsonBody(
    AuctionBody,
    {
        "product_id": PRODUCT,
        "starting_price": 1000,
        "reserve_price": 2000,
        "buy_now_price": 5000,
        "currency": "USD",
        "ends_at": ENDS_AT,
    },
    "an auction",
)
