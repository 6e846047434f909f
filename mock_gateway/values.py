"""What charges and refunds are made of."""

from typing import Annotated, Final, NewType

from msgspec import Meta

PaymentId = NewType("PaymentId", str)
RefundId = NewType("RefundId", str)

MAX_AMOUNT: Final = 2**63 - 1
UUID_PATTERN: Final = r"\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
UuidText = Annotated[str, Meta(pattern=UUID_PATTERN)]
Amount = Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
"""In minor units."""
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3,5}\Z")]


def wrong(amount: int) -> int:
    """Another amount: one minor unit too many, where there is one more."""
    return amount + 1 if amount < MAX_AMOUNT else amount - 1
