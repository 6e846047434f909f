"""Put products on the shelf, change what is said of them, and take them off again: for sellers, and for admins."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from app.contexts.catalog.application.ports import NewProduct, Products
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Details, Product, edited, removed
from app.contexts.catalog.domain.shelf_refusals import (
    FeaturedByAdmins,
    ProductNotFound,
    Unfit,
    VersionMoved,
    VersionNeeded,
)
from app.kernel.currencies import is_known
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import Principal, Role

IsExpected = Callable[[int], bool]
"""Whether a version is one that the change was meant for."""


@dataclass(frozen=True, slots=True)
class ChangeProducts:
    """Changes products. `currencies` come beside ISO 4217's."""

    products: Products
    ids: Ids
    currencies: Set[str]

    async def add(self, asker: Principal, details: Details, featured: bool | None) -> Product:
        """A new product of the asker's.

        Raises:
            FeaturedByAdmins: they are none.
            Unfit: there is no such category or currency.
            Unavailable: it cannot be done now.
        """
        self._see_to_currency(details)
        new = NewProduct(
            id=ProductId(self.ids()),
            tenant_id=asker.tenant_id,
            seller_id=UserId(asker.id),
            details=details,
            featured=_featured(asker, featured, before=False),
        )
        return await self.products.add(new)

    async def edit(
        self,
        asker: Principal,
        product_id: ProductId,
        details: Details,
        featured: bool | None,
        is_expected: IsExpected | None,
    ) -> Product:
        """The product with these details instead of those that it had.

        Raises:
            Unfit: there is no such category; or, of what they may change, no such currency.
            ProductNotFound: there is none, or it is another's.
            FeaturedByAdmins: the asker is none.
            VersionNeeded, VersionMoved: the change is meant for no version, or for another one.
            StockReserved: more of it is reserved than there would be left.
            TooManyEdits: there is no number left for it.
            Unavailable: it cannot be done now.
        """

        def decide(product: Product) -> Product:
            _see_to_owner(asker, product)
            will_be_featured = _featured(asker, featured, before=product.featured)
            if details.currency != product.details.currency:  # one that is known no longer stays
                self._see_to_currency(details)
            if is_expected is None:
                raise VersionNeeded
            if not is_expected(product.version):
                raise VersionMoved(product.version)
            return edited(product, details, featured=will_be_featured)

        return await self.products.change(asker.tenant_id, product_id, details.category_id, decide)

    async def remove(self, asker: Principal, product_id: ProductId) -> None:
        """Take the product off the shelf.

        Raises:
            ProductNotFound: there is none, or it is another's.
            ProductInAuction: it has to stay for now.
            Unavailable: it cannot be done now.
        """

        def decide(product: Product) -> Product:
            _see_to_owner(asker, product)
            return removed(product)

        await self.products.remove(asker.tenant_id, product_id, decide)

    def _see_to_currency(self, details: Details) -> None:
        if not is_known(details.currency, self.currencies):
            raise Unfit("currency", "must be the code of a known currency, such as USD")


def _see_to_owner(asker: Principal, product: Product) -> None:
    if asker.role is not Role.ADMIN and product.seller_id != asker.id:
        raise ProductNotFound


def _featured(asker: Principal, wanted: bool | None, *, before: bool) -> bool:
    """Whether it is featured from now on: an admin says so, and a seller leaves it as it is."""
    if asker.role is Role.ADMIN:
        return bool(wanted)
    if wanted not in (None, before):
        raise FeaturedByAdmins
    return before
