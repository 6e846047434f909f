"""What is identified of carts and orders."""

from typing import NewType
from uuid import UUID

CartId = NewType("CartId", UUID)
ItemId = NewType("ItemId", UUID)
CheckoutId = NewType("CheckoutId", UUID)
OrderId = NewType("OrderId", UUID)
