"""A product's stock as operators see it: what is left, and who has reserved, taken and given back what of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.reservation import LineStatus
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.tenants import KnownTenants


class ProductUnknown(Exception):  # noqa: N818 -- it says what is not there
    """No such product."""


class StockedProduct(NamedTuple):
    """A product's row, and what of it the reservations say is reserved. `now`: the database's clock."""

    product_id: ProductId
    tenant_id: TenantId
    seller_id: UserId
    title: str
    price_minor: int
    currency: str
    quantity: int
    reserved: int
    sold: int
    put_in: int
    is_active: bool
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    derived_reserved: int
    now: datetime

    @property
    def available(self) -> int:
        """How many may be reserved."""
        return self.quantity - self.reserved if self.is_active and self.deleted_at is None else 0

    @property
    def agrees(self) -> bool:
        """Whether row and reservations say the same."""
        return self.reserved == self.derived_reserved


class StockLine(NamedTuple):
    """What a reservation has of a product. `buyer`: for whom, if it is said."""

    operation: OperationId
    buyer: UserId | None
    pinned: bool
    qty: int
    status: LineStatus
    reserved_at: datetime


@dataclass(frozen=True, slots=True)
class StockPage:
    """A product with what is reserved of it, the oldest first, and a page of all its reservations, the newest first.

    `reserved` are not all of them where the product says more; `next` is the place of what is older.
    """

    product: StockedProduct
    reserved: Sequence[StockLine]
    lines: Sequence[StockLine]
    next: OperationId | None


class StockRecords(Protocol):
    """Looks into the database, in one snapshot. Raises `Unavailable` while it is out of reach."""

    async def home(self, tenants: Sequence[TenantId], product_id: ProductId) -> TenantId | None:
        """Whose product it is."""
        ...

    async def stock(
        self, tenant_id: TenantId, product_id: ProductId, before: OperationId | None, most: int
    ) -> tuple[StockedProduct, Sequence[StockLine], Sequence[StockLine]] | None:
        """The product, up to `most` lines that are reserved, and as many of those that are older than `before`."""
        ...


@dataclass(frozen=True, slots=True)
class LookAtStock:
    """Looks at it. A product is found in whichever tenant it is."""

    records: StockRecords
    tenants: KnownTenants

    async def __call__(
        self, product_id: ProductId, before: OperationId | None, most: int, *, tenant: str | None = None
    ) -> StockPage:
        """The product's stock. With a `tenant`, the product has to be of that one.

        Raises:
            ProductUnknown: there is none with that id.
            TenantUnknown: there is no such tenant.
            Unavailable: the stock is out of reach, or who knows the tenants is.
        """
        home = await self._home(product_id, tenant)
        found = None if home is None else await self.records.stock(home, product_id, before, most + 1)
        if found is None:
            raise ProductUnknown(f"there is no product {product_id}")
        product, reserved, lines = found
        older = lines[most - 1].operation if len(lines) > most else None
        return StockPage(product, reserved[:most], lines[:most], older)

    async def place_of(self, wanted: UUID) -> str | None:
        """The path of the console's page of the product with that id, if there is one.

        Raises:
            Unavailable: it cannot be known now.
        """
        return None if await self._home(ProductId(wanted), None) is None else f"/products/{wanted}"

    async def _home(self, product_id: ProductId, tenant: str | None) -> TenantId | None:
        houses = await self.tenants.all() if tenant is None else [await self.tenants.called(tenant)]
        return await self.records.home([house.tenant_id for house in houses], product_id)
