"""GET /products and /products/{id}."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.contexts.catalog.application.look_at_stock import LookAtStock
from app.contexts.catalog.domain.ids import ProductId
from app.kernel.operation_id import OperationId
from app.platform.console.desk import Desk
from app.platform.console.errors import Rejected
from app.platform.console.visit import uuid_of, visit_of
from app.platform.http import queries

PAGE: Final = 50


def stock(look: LookAtStock, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """Products' stock."""

    @get("/products")
    async def ask(request: Request[Any, Any, Any]) -> ASGIApp:
        return desk.pages.page("products.html", visit_of(request))

    @get("/products/{product_id:str}")
    async def one(request: Request[Any, Any, Any], product_id: FromPath[str]) -> ASGIApp:
        given = queries.parameters(request.scope["query_string"], frozenset(("before",)))
        before = _place(given["before"]) if given.get("before") else None
        page = await look(ProductId(uuid_of(product_id, "a product's id")), before, PAGE)
        older = f"{page.next.business_id}_{page.next.context}_{page.next.name}" if page.next else None
        return desk.pages.page(
            "product.html", visit_of(request), page=page, product=page.product, older=older, first=before is None
        )

    return [ask, one]


def _place(text: str) -> OperationId:
    business_id, *rest = text.split("_", 2)
    if len(rest) < 2:
        raise Rejected(400, "before must be a place that a page has named")
    return OperationId(rest[0], uuid_of(business_id, "before"), rest[1])
