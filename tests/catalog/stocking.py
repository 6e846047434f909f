"""The stock in PostgreSQL, with what a test does around it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg

from app.contexts.catalog.adapters.postgres.invariants import OF_TENANTS
from app.contexts.catalog.adapters.postgres.stock import PostgresOffers, PostgresStockRoom
from app.contexts.catalog.application.desk import Desk
from app.contexts.catalog.application.forbid import Forbid
from app.contexts.catalog.application.move_stock import MoveStock
from app.contexts.catalog.public import Line, ProductId
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.cache.deletions import Forgets, Note
from app.platform.postgres.lanes import BatchObserver, unobserved
from app.platform.postgres.plans import make_planned_pool
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows
from tests.patience import in_lanes

TENANT = TenantId(UUID(int=1))
OTHER_TENANT = TenantId(UUID(int=2))
SELLER = UserId(UUID(int=7))

MANY = 20_000
_SETTLED = f"""
    WITH made AS (
        INSERT INTO catalog.reservations (bucket, tenant_id, context, business_id, name, fingerprint, forbidden,
                                          created_at)
        SELECT get_byte(uuid_send(id), 15) & 15, %(tenant)s, 'market', id, 'reserve', '', false, now()
        FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, {MANY})) ids
        RETURNING *
    )
    INSERT INTO catalog.reservation_lines
    SELECT bucket, tenant_id, context, business_id, name, %(product)s, 1, %(status)s, %(seller)s, '', 1, 'USD' FROM made
"""
_PRODUCT = """
    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, title, description, condition, price, currency,
        quantity, put_in, images, specifications, shipping_info, featured, is_active, created_at, updated_at,
        deleted_at)
    VALUES (get_byte(uuid_send(%(id)s), 15) & 15, %(tenant)s, %(id)s, %(seller)s, %(title)s, '', 'new', %(price)s,
            'USD', %(quantity)s, %(quantity)s, '{}', '{}', '{}', false, %(is_active)s, now(), now(),
            CASE WHEN %(is_deleted)s THEN now() END)
"""
_WAITING = """
    SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (
        SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    )
"""


def operation(name: str = "reserve", business: UUID | None = None) -> OperationId:
    return OperationId("market", business or uuid4(), name)


class Forgotten(Forgets):
    """Keeps what was to be forgotten."""

    def __init__(self) -> None:
        self.keys: list[tuple[TenantId, frozenset[str]]] = []

    async def forget(self, note: Note) -> None:
        """See `Forgets.forget`."""
        self.begin(note)

    def begin(self, note: Note) -> None:
        """See `Forgets.begin`."""
        self.keys.append((note.tenant_id, frozenset(note.keys)))


@dataclass
class Stocks:
    """The use cases over one pool: bare, and in lanes. `owner` is somebody whom no policy holds."""

    pool: Pool
    owner: psycopg.AsyncConnection[Any]
    forgotten: Forgotten = field(default_factory=Forgotten)
    room: PostgresStockRoom = field(init=False)

    def __post_init__(self) -> None:
        rows = TenantRows(self.pool)
        self.room, self.offers = PostgresStockRoom(rows, self.forgotten), PostgresOffers(rows)
        self.move, self.forbid = MoveStock(self.room), Forbid(self.room)
        self.desk = self.make_desk()

    def make_desk(self, observe: BatchObserver = unobserved) -> Desk:
        """The stock as another process has it. The observer is told of the batches that move it."""
        return Desk(
            in_lanes(self.move, lambda m: m.operation.business_id, self.pool, observe),
            in_lanes(self.forbid, lambda p: p.operation.business_id, self.pool),
        )

    async def product(
        self,
        quantity: int,
        *,
        tenant: TenantId = TENANT,
        price: int = 100,
        is_active: bool = True,
        is_deleted: bool = False,
    ) -> ProductId:
        """A new product, of which there are so many."""
        product_id = ProductId(uuid4())
        values = {"id": product_id, "tenant": tenant, "seller": SELLER, "title": f"a thing {product_id}"}
        more = {"price": price, "quantity": quantity, "is_active": is_active, "is_deleted": is_deleted}
        await self.owner.execute(_PRODUCT.encode(), values | more)
        return product_id

    async def settle_many(self, tenant: TenantId, product: ProductId, status: str) -> None:
        """MANY reservations of the product, of one piece each, that stand so; the planner knows of them."""
        values = {"tenant": tenant, "product": product, "status": status, "seller": SELLER}
        await self.owner.execute(_SETTLED.encode(), values)
        await self.owner.execute("ANALYZE catalog.reservations, catalog.reservation_lines")

    async def stands(self, product_id: ProductId) -> tuple[int, int, int, int]:
        """Of a product what is left, what of it is reserved, what is sold, and the version."""
        query = "SELECT quantity, reserved, sold, version FROM catalog.products WHERE id = %s"
        (row,) = await self.all(query, product_id)
        return row[0], row[1], row[2], row[3]

    async def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query finds, in all tenants."""
        return await (await self.owner.execute(query.encode(), values or None)).fetchall()

    async def offenders(self) -> list[str]:
        """All that verify finds of the stock of all tenants."""
        return [line for _, _, query in OF_TENANTS for (line,) in await self.all(query)]

    async def somebody_waits(self) -> None:
        """Wait until somebody waits for a lock in this database."""
        async with asyncio.timeout(60):
            while await self.all(_WAITING) == [(0,)]:  # noqa: ASYNC110 -- another process' doing
                await asyncio.sleep(0.005)


def lines(wanted: Mapping[ProductId, int]) -> Sequence[Line]:
    """So many of each."""
    return [Line(product_id, qty) for product_id, qty in wanted.items()]


def name_of(outcome: object) -> str:
    """How it ended: the class's name."""
    return type(outcome).__name__


@asynccontextmanager
async def open_stocks(app_url: str, superuser_url: str, connections: int = 6) -> AsyncIterator[Stocks]:
    """The stock in a database, as the services' own role sees it."""
    async with make_planned_pool(app_url, "stocking", connections) as pool:
        await pool.wait()
        async with await psycopg.AsyncConnection.connect(superuser_url, autocommit=True) as owner:
            yield Stocks(pool, owner)
