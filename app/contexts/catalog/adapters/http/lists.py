"""GET /v1/products."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from msgspec import Raw, Struct, json

from app.contexts.catalog.adapters.cache.kinds import ShownProduct
from app.contexts.catalog.adapters.cache.pages import Pages
from app.contexts.catalog.adapters.http import cursors, examples
from app.contexts.catalog.adapters.http import list_parameters as given
from app.contexts.catalog.adapters.http.products import ALL, TAG
from app.contexts.catalog.adapters.shapes import ProductShape
from app.contexts.catalog.application.browse import Filters, Sort, Wanted
from app.kernel.ids import UserId
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.challenges import forbidden, not_let_in
from app.platform.http.errors import validation
from app.platform.http.operations import ANY_USER, MAYBE_BEARER, Operation, Request, Success
from app.platform.http.parameters import CURRENCY, LIMIT
from app.platform.http.replies import Reply

_FILTERS: Final = (
    given.TEXT,
    given.CATEGORY,
    given.SELLER,
    given.CONDITION,
    CURRENCY,
    given.MIN_PRICE,
    given.MAX_PRICE,
    given.FEATURED,
    given.IN_STOCK,
    given.SORT,
    given.CURSOR,
)
_encode = json.Encoder().encode


class ProductsShape(Struct, frozen=True):
    """A page of products. `next_cursor` asks for the next page."""

    products: list[ProductShape]
    next_cursor: str | None


class _Page(Struct, frozen=True):
    """The same, of products that are JSON already."""

    products: list[Raw]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ListedProducts:
    """The handler, with what it needs."""

    pages: Pages
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        return [
            Operation(
                method="GET",
                template=ALL,
                name="listProducts",
                tag=TAG,
                summary="Look for products",
                description="Those that are active. `recommended`, which takes a log-in, goes with `limit` alone.",
                who=MAYBE_BEARER,
                handler=self.list_products,
                parameters=(*_FILTERS, given.RECOMMENDED, LIMIT),
                successes=(_PAGE,),
                refusals=(_MALFORMED, codes.FORBIDDEN, codes.UNAVAILABLE),
            )
        ]

    async def list_products(self, request: Request) -> Reply:
        """A page of those that are asked for."""
        if request[given.RECOMMENDED]:
            return await self._recommended(request)
        tenant_id, wanted, slug = request.tenant_id, _wanted(request), request[given.CATEGORY]
        of, cursor = repr((wanted.filters, wanted.sort, slug)), request[given.CURSOR]
        if cursor is not None:
            wanted = replace(wanted, after=cursors.position_of(tenant_id, of, cursor))
        page = await self.http.in_flight.read(self.pages.page(tenant_id, wanted, slug), self.http.timeout_s)
        unknown = queries.unknown_currency(request[CURRENCY], self.http.currencies)
        if unknown and not page.products:
            raise unknown
        return _answer(page.products, None if page.next is None else cursors.to_cursor(tenant_id, of, page.next))

    async def _recommended(self, request: Request) -> Reply:
        if request.principal is None:
            raise not_let_in()
        if request.principal.is_machine:
            raise forbidden(ANY_USER)
        if any(request[each] is not None for each in _FILTERS):
            raise validation({"recommended": "goes with limit alone"})
        reading = self.pages.recommended(request.tenant_id, UserId(request.principal.id), request[LIMIT])
        return _answer(await self.http.in_flight.read(reading, self.http.timeout_s), None)


def _wanted(request: Request) -> Wanted:
    """What is asked for, from the first page on, but for the category.

    Raises:
        Problem: it contradicts itself.
    """
    text, sort, seller, currency = request[given.TEXT], request[given.SORT], request[given.SELLER], request[CURRENCY]
    lowest, highest = request[given.MIN_PRICE], request[given.MAX_PRICE]
    by_price = sort in (Sort.CHEAPEST, Sort.DEAREST) or lowest is not None or highest is not None
    if by_price and currency is None:
        raise validation({"currency": "is required with a price, and with an order by price"})
    if lowest is not None and highest is not None and lowest > highest:
        raise validation({"max_price": "must not be less than min_price"})
    is_own = request.principal is not None and seller == request.principal.id
    filters = Filters(
        text=text,
        seller=seller,
        condition=request[given.CONDITION],
        currency=currency,
        min_price=lowest,
        max_price=highest,
        featured=request[given.FEATURED],
        in_stock=request[given.IN_STOCK],
        is_active=None if is_own else True,
    )
    usual = Sort.NEWEST if text is None else Sort.RANK
    return Wanted(filters=filters, sort=usual if sort is None else sort, limit=request[LIMIT])


def _answer(products: Sequence[ShownProduct], cursor: str | None) -> Reply:
    return Reply(200, _encode(_Page([Raw(each.body) for each in products], cursor)))


_MALFORMED: Final = replace(
    codes.VALIDATION_ERROR, details={"currency": "is required with a price, and with an order by price"}
)
_PAGE: Final = Success(
    status=200,
    description="A page.",
    type=ProductsShape,
    example={"products": [examples.PRODUCT], "next_cursor": None},
)
