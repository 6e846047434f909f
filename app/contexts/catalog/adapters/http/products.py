"""POST /v1/products; GET, PUT and DELETE /v1/products/{id}."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.catalog.adapters.cache.shown import Shown, shown_product
from app.contexts.catalog.adapters.http import errors, examples
from app.contexts.catalog.adapters.http.bodies import PRODUCT_BODY
from app.contexts.catalog.adapters.http.parameters import PRODUCT
from app.contexts.catalog.adapters.shapes import ProductShape
from app.contexts.catalog.application.change_products import ChangeProducts
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Product
from app.contexts.catalog.domain.shelf_refusals import ProductNotFound
from app.kernel.principal import Role, TenantId
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.entity_tags import IF_MATCH, IF_NONE_MATCH, etag
from app.platform.http.finishing import finished
from app.platform.http.operations import BEARER, MAYBE_BEARER, Access, Operation, Request, Success
from app.platform.http.replies import NO_CONTENT, NOT_MODIFIED, RawHeader, Reply

TAG: Final = "products"
ALL: Final = "/v1/products"
_ONE: Final = "/v1/products/{id}"

SELLERS: Final = Access(frozenset({Role.SELLER, Role.ADMIN}))

# What one has of it may be kept, and is asked for anew each time.
_TO_BE_ASKED: Final[RawHeader] = (b"cache-control", b"no-cache")

Viewed = Callable[[TenantId, ProductId], None]
"""Is told that somebody looked at a product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleProducts:
    """The handlers, with what they need."""

    shown: Shown
    change: ChangeProducts
    viewed: Viewed
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        return [self._get(), self._post(), self._put(), self._delete()]

    def _get(self) -> Operation:
        return Operation(
            method="GET",
            template=_ONE,
            name="getProduct",
            tag=TAG,
            summary="Read a product",
            description="Whoever names in `If-None-Match` the version that there is gets 304. It counts as a view.",
            who=MAYBE_BEARER,
            handler=self.get_product,
            parameters=(PRODUCT, IF_NONE_MATCH),
            successes=(_READ, _SAME),
            refusals=(errors.NO_SUCH_PRODUCT, codes.UNAVAILABLE),
        )

    def _post(self) -> Operation:
        return Operation(
            method="POST",
            template=ALL,
            name="addProduct",
            tag=TAG,
            summary="Offer a product",
            who=BEARER,
            access=SELLERS,
            handler=self.add_product,
            body=PRODUCT_BODY,
            successes=(_ADDED,),
            refusals=(errors.UNFIT, errors.NOT_TO_FEATURE, codes.UNAVAILABLE),
        )

    def _put(self) -> Operation:
        return Operation(
            method="PUT",
            template=_ONE,
            name="replaceProduct",
            tag=TAG,
            summary="Change what is said of a product",
            description="It is what the body says, and nothing of what it was; `If-Match` says of which version that "
            "is the change. A seller changes their own, an admin any; whether it is `featured` only an admin.",
            who=BEARER,
            access=SELLERS,
            handler=self.replace_product,
            parameters=(PRODUCT, IF_MATCH),
            body=PRODUCT_BODY,
            successes=(_CHANGED,),
            refusals=(
                errors.UNFIT,
                errors.NOT_TO_FEATURE,
                errors.NO_SUCH_PRODUCT,
                errors.VERSION_NEEDED,
                errors.VERSION_MOVED,
                errors.STOCK_RESERVED,
                errors.TOO_MANY_EDITS,
                codes.UNAVAILABLE,
            ),
        )

    def _delete(self) -> Operation:
        return Operation(
            method="DELETE",
            template=_ONE,
            name="removeProduct",
            tag=TAG,
            summary="Take a product off the shelf",
            description="It is in no list any more. What is ordered of it, or reserved, stays so.",
            who=BEARER,
            access=SELLERS,
            handler=self.remove_product,
            parameters=(PRODUCT,),
            successes=(_GONE,),
            refusals=(errors.NO_SUCH_PRODUCT, errors.PRODUCT_IN_AUCTION, codes.UNAVAILABLE),
        )

    async def get_product(self, request: Request) -> Reply:
        """Show one."""
        product_id, tenant_id, known = request[PRODUCT], request.tenant_id, request[IF_NONE_MATCH]
        if kept := self.shown.at_hand(tenant_id, product_id):
            shown = kept.value
        else:
            shown = await self.http.in_flight.read(self.shown.product(tenant_id, product_id), self.http.timeout_s)
        if shown is None:
            raise ProductNotFound
        self.viewed(tenant_id, product_id)
        headers = (etag(shown.version), _TO_BE_ASKED)
        if known is not None and known.knows(shown.version):
            return Reply(NOT_MODIFIED, b"", headers)
        return Reply(200, shown.body, headers)

    async def add_product(self, request: Request) -> Reply:
        """Add one."""
        body = request[PRODUCT_BODY]
        return _answer(201, await finished(self.http, self.change.add(request.asker, body.details, body.featured)))

    async def replace_product(self, request: Request) -> Reply:
        """Change one."""
        body, meant = request[PRODUCT_BODY], request[IF_MATCH]
        changing = self.change.edit(
            request.asker, request[PRODUCT], body.details, body.featured, None if meant is None else meant.has
        )
        return _answer(200, await finished(self.http, changing))

    async def remove_product(self, request: Request) -> Reply:
        """Remove one."""
        await finished(self.http, self.change.remove(request.asker, request[PRODUCT]))
        return Reply(NO_CONTENT, b"")


def _answer(status: int, product: Product) -> Reply:
    return Reply(status, shown_product(product).body, (etag(product.version),))


_READ = Success(
    status=200,
    description="The product.",
    type=ProductShape,
    example=examples.PRODUCT,
    headers=("ETag", "Cache-Control"),
)
_SAME = Success(
    status=304, description="It is the version that the asker has.", type=None, headers=("ETag", "Cache-Control")
)
_ADDED = Success(
    status=201,
    description="The product.",
    type=ProductShape,
    example={**examples.PRODUCT, "available": 3, "view_count": 0, "version": 1},
    headers=("ETag",),
)
_CHANGED = Success(
    status=200, description="The product.", type=ProductShape, example=examples.PRODUCT, headers=("ETag",)
)
_GONE = Success(status=204, description="It is gone.", type=None)
