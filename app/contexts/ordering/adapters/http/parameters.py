"""Parameters and bodies of requests about carts and orders."""

from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.ordering.adapters.http.errors import QTY_RULE
from app.contexts.ordering.application.ports import Side
from app.contexts.ordering.domain.cart import MOST_PIECES
from app.contexts.ordering.domain.ids import ItemId, OrderId
from app.platform.http.errors import validation
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid

PRODUCT: Final = "0193a5b2-7c4e-7d13-8e4f-1a2b3c4d5e6f"
"""The product of the examples."""

Qty = Annotated[int, Meta(ge=1, le=MOST_PIECES, description="Pieces."), Rule(QTY_RULE)]


class PutBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many pieces of what to put into the cart."""

    product_id: Annotated[UUID, Rule("must be a UUID")]
    qty: Qty


class QtyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many pieces there are to be."""

    qty: Qty


PUT_BODY: Final = JsonBody(PutBody, {"product_id": PRODUCT, "qty": 2}, "an item of a cart")
QTY_BODY: Final = JsonBody(QtyBody, {"qty": 3}, "what can be changed")


def _read_side(text: str | None) -> Side | None:
    try:
        return None if text is None else Side(text)
    except ValueError:
        raise validation({"as": "must be buyer or seller"}) from None


ITEM: Parameter[ItemId] = Parameter(
    name="id",
    key="cart_item",
    where="path",
    read=lambda text: ItemId(read_uuid("id", text)),
    required=True,
    description="The item, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="0193a5b2-7c4e-7d15-a6b7-2c3d4e5f6071",
)
ORDER: Parameter[OrderId] = Parameter(
    name="id",
    key="order",
    where="path",
    read=lambda text: OrderId(read_uuid("id", text)),
    required=True,
    description="The order, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="0193a5b2-7c4e-7d16-b7c8-3d4e5f607182",
)
SIDE: Parameter[Side | None] = Parameter(
    name="as",
    key="side",
    where="query",
    read=_read_side,
    description="Only what one has bought, or only what one has sold. Without it both; for admins all of the tenant's.",
    schema={"type": "string", "enum": [side.value for side in Side]},
    example="buyer",
)
