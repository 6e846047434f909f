"""What the use cases of products and categories need of the outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.contexts.catalog.domain.category import Category, Tree
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.product import Decide, Details, Product
from app.kernel.ids import UserId
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product that is not there yet."""

    id: ProductId
    tenant_id: TenantId
    seller_id: UserId
    details: Details
    featured: bool


class Products(Protocol):
    """The products of tenants, for whoever changes them. Each change is told, and no reader is left with what was
    before. Whatever raises nothing else raises Unavailable where it cannot be done now.
    """

    async def add(self, product: NewProduct) -> Product:
        """Add it.

        Raises:
            Unfit: there is no such category.
        """
        ...

    async def change(
        self, tenant_id: TenantId, product_id: ProductId, category_id: CategoryId | None, decide: Decide
    ) -> Product:
        """Make of the product what is decided; it is to be in that category.

        Raises:
            Unfit: there is no such category.
            ProductNotFound: there is none.
            Refusal: what `decide` refuses with.
        """
        ...

    async def remove(self, tenant_id: TenantId, product_id: ProductId, decide: Decide) -> None:
        """Have it gone, after `decide` has told how it went.

        Raises:
            ProductNotFound: there is none.
            Refusal: what `decide` refuses with.
            ProductInAuction: it is pinned.
        """
        ...


DecideOnTree = Callable[[Tree], Category]
"""What a category is to be, given all that there are, locked. It may refuse by raising."""


class Categories(Protocol):
    """The categories of tenants, for whoever changes them: one at a time in a tenant, so that they stay a tree.
    Whatever raises nothing else raises Unavailable where it cannot be done now.
    """

    async def add(self, tenant_id: TenantId, decide: DecideOnTree) -> tuple[Category, Tree]:
        """Add what is decided: it, and all there are then.

        Raises:
            SlugTaken: another has its slug.
            Refusal: what `decide` refuses with.
        """
        ...

    async def change(self, tenant_id: TenantId, decide: DecideOnTree) -> tuple[Category, Tree]:
        """Make the category what is decided: it, and all there are then.

        Raises:
            SlugTaken: another has its slug.
            Refusal: what `decide` refuses with.
        """
        ...

    async def remove(self, tenant_id: TenantId, category_id: CategoryId) -> None:
        """Have it gone.

        Raises:
            CategoryNotFound: there is none.
            CategoryInUse: there are categories below it, or products in it.
        """
        ...


class TreeReader(Protocol):
    """Reads categories."""

    async def all(self, tenant_id: TenantId) -> Sequence[Category]:
        """Those that are not deleted.

        Raises:
            Unavailable: it cannot be known now.
        """
        ...
