"""The settings of carts and orders."""

from typing import Annotated

from msgspec import Meta

from app.platform.process.settings import Section


class OrderingSettings(Section, frozen=True, kw_only=True):
    """What the market takes, and when it goes on by itself."""

    market_fee_bp: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """Basis points of an order's total, rounded down, that go to the tenant's house."""
    order_complete_d: Annotated[int, Meta(ge=1, le=3_650)] = 14
    """Days after shipping."""
    order_ship_d: Annotated[int, Meta(ge=1, le=3_650)] = 14
    """Days after being paid."""
