"""Operations of a context that there is not."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.kernel.refusals import Refusal
from app.platform.http import codes
from app.platform.http.codes import ErrorCode
from app.platform.http.errors import validation
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import ANYONE, API_KEY, Operation, Parameter, Request, Success
from app.platform.http.parameters import LIMIT, read_uuid
from app.platform.http.replies import Reply
from app.platform.http.shapes import Amount, is_plain

ORDER = UUID("6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10")


class OrderNotFound(Refusal):
    """There is no such order."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such order"


class OutOfStock(Refusal):
    """There are fewer left."""

    code = "OUT_OF_STOCK"

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left

    def __str__(self) -> str:
        return "there are not as many left"


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a line."""

    name: Annotated[str, Rule("must be a name")]


class LineBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many of what."""

    quantity: Amount
    note: Annotated[str | None, Rule("must be a note", lambda note: note is None or is_plain(note))] = None
    parts: Annotated[list[Part], Rule("must be a list of parts")] = msgspec.field(default_factory=list)


class LineShape(Struct, frozen=True):
    """A line of an order."""

    order_id: UUID
    line: int
    quantity: Annotated[int, Meta(ge=1)]
    limit: int


def read_line(text: str) -> int:
    """A line's number."""
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise validation({"line": "must be a number"})
    return int(text)


ORDER_ID: Parameter[UUID] = Parameter(
    name="order_id",
    where="path",
    read=lambda text: read_uuid("order_id", text),
    required=True,
    description="The order.",
    schema={"type": "string", "format": "uuid"},
)
LINE: Parameter[int] = Parameter(
    name="line", where="path", read=read_line, required=True, description="The line.", schema={"type": "integer"}
)
LINE_BODY = JsonBody(LineBody, {"quantity": 2, "note": "soon"}, "an order's line")
OUT_OF_STOCK = ErrorCode(
    name="OUT_OF_STOCK",
    status=409,
    when="There are fewer left.",
    message="there are not as many left",
    details={"left": 1},
    refusals=(OutOfStock,),
    details_of=lambda refusal: {"left": refusal.left},
)
NO_ORDER = replace(codes.NOT_FOUND, when="There is no such order.", refusals=(OrderNotFound,))


async def put_line(request: Request) -> Reply:
    """Put it there, unless it is said otherwise by what is put."""
    body = request[LINE_BODY]
    if request[ORDER_ID].int == 0:
        raise OrderNotFound
    if body.quantity > 3:
        raise OutOfStock(3)
    shape = LineShape(request[ORDER_ID], request[LINE], body.quantity, request[LIMIT])
    return Reply(200, msgspec.json.encode(shape))


async def say_yes(_: Request) -> Reply:
    """Say so."""
    return Reply(200, b'{"status":"ok"}')


PUT_LINE = Operation(
    method="PUT",
    template="/shop/orders/{order_id}/lines/{line}",
    name="putLine",
    tag="orders",
    summary="Put a line into an order",
    who=API_KEY,
    handler=put_line,
    parameters=(ORDER_ID, LINE, LIMIT),
    body=LINE_BODY,
    successes=(
        Success(
            status=200,
            description="The line.",
            type=LineShape,
            example={"order_id": str(ORDER), "line": 1, "quantity": 2, "limit": 50},
        ),
    ),
    refusals=(NO_ORDER, OUT_OF_STOCK),
)


def plain(method: Any, template: str, name: str, *parameters: Parameter[Any], **changes: Any) -> Operation:
    """An operation that says yes."""
    yes = Success(status=200, description="Yes.", type=dict)
    made = Operation(
        method=method,
        template=template,
        name=name,
        tag="orders",
        summary="Say yes",
        who=ANYONE,
        handler=say_yes,
        parameters=parameters,
        successes=(yes,),
    )
    return replace(made, **changes)


OFFERED = (
    PUT_LINE,
    plain("GET", "/shop/orders/{order_id}/lines/{line}", "getLine", ORDER_ID, LINE),
    plain("DELETE", "/shop/orders/{order_id}/lines/{line}", "deleteLine", ORDER_ID, LINE),
    plain("GET", "/shop/orders/{order_id}", "getOrder", ORDER_ID),
    plain("GET", "/shop/orders/mine", "getMine"),
    plain("POST", "/shop/orders/mine/close", "closeMine"),
    plain("GET", "/shop/{line}/mine/open", "getOpen", LINE),
)
PATH = f"/shop/orders/{ORDER}/lines/7"
