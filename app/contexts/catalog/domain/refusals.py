"""What the catalogue refuses."""

from collections.abc import Mapping
from typing import Any

from app.contexts.catalog.domain.ids import ProductId
from app.kernel.refusals import Refusal


class OutOfStock(Refusal):
    """Of these products less can be had than was asked for; `available` says how much."""

    code = "OUT_OF_STOCK"

    def __init__(self, available: Mapping[ProductId, int]) -> None:
        super().__init__()
        self.available = available

    def __str__(self) -> str:
        return "there is not enough left of it"

    def told(self) -> Mapping[str, Any]:
        """What a client is told of it."""
        available = sorted(self.available.items())
        return {"products": [{"product_id": str(product), "available": left} for product, left in available]}


class ReservationForbidden(Refusal):
    """It was forbidden before it came, or given back since: it will never be."""

    code = "FORBIDDEN_OPERATION"

    def __str__(self) -> str:
        return "this was forbidden before it came"


class ReservationReused(Refusal):
    """A reservation with this id was asked for before, with another content."""

    code = "OPERATION_REUSED"

    def __str__(self) -> str:
        return "this reservation was asked for before, with another content"


class ReservationNotFound(LookupError):  # noqa: N818 -- it says what is missing
    """There is no such reservation, or nothing of it that is not given back. No answer to anybody: a caller's fault."""
