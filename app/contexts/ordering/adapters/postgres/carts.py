"""Carts in PostgreSQL. Whoever changes one holds its row, a checkout as well: of what comes at once one is first."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager

import psycopg
from psycopg.errors import UniqueViolation

from app.contexts.ordering.adapters.postgres import cart_rows
from app.contexts.ordering.application.change_carts import Unknown
from app.contexts.ordering.domain.cart import Cart
from app.contexts.ordering.domain.ids import CartId
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.postgres.errors import Fault, NotReplicated, Retry, fault, reading
from app.platform.postgres.pipeline import Call
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresCarts:
    """Implements `CartsBooks`."""

    def __init__(self, rows: TenantRows, pool: Pool, ids: Ids) -> None:
        self._rows = rows
        self._pool = pool
        self._ids = ids

    @reading
    async def open(self, tenant_id: TenantId, owner: UserId) -> Cart:
        """See `CartsBooks.open`."""
        read = cart_rows.read(tenant_id, owner)
        (rows,) = await self._rows.run(tenant_id, read)
        if not rows:
            new = Cart(CartId(self._ids()), tenant_id, owner)
            _, rows = await self._rows.run(tenant_id, cart_rows.open_cart(new), read)
        if not rows:
            raise Unavailable("the cart was checked out meanwhile")
        return cart_rows.carts_of(tenant_id, rows)[owner]

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresCartsWork"]:
        """See `CartsBooks.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresCartsWork(transaction, self._pool, self._ids, tenant_id)


class PostgresCartsWork:
    """One transaction, of two round trips. It implements `CartsWork`."""

    def __init__(self, transaction: TenantTransaction, pool: Pool, ids: Ids, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._pool = pool
        self._ids = ids
        self._tenant_id = tenant_id
        self._found: Mapping[UserId, Cart] = {}
        self._new: Mapping[UserId, Cart] = {}

    async def lock(self, owners: Collection[UserId]) -> Mapping[UserId, Cart]:
        """See `CartsWork.lock`."""
        (locked, rows), _ = await self._transaction.begin(*cart_rows.lock(self._tenant_id, owners))
        self._found = cart_rows.carts_of(self._tenant_id, rows)
        if not {(owner, cart.id) for owner, cart in self._found.items()} <= {*locked}:
            raise Retry  # one was opened between the two statements
        new = [owner for owner in owners if owner not in self._found]
        self._new = {owner: Cart(CartId(self._ids()), self._tenant_id, owner) for owner in new}
        return {**self._found, **self._new}

    async def commit(self, carts: Mapping[UserId, Cart]) -> None:
        """See `CartsWork.commit`."""
        try:
            await self._transaction.commit(self._statements(carts))
        except UniqueViolation:
            raise Retry from None  # somebody else has opened one meanwhile, of those that were to be opened
        except (NotReplicated, psycopg.Error) as error:
            if fault(error) is not Fault.LOST:
                raise
            await self._pool.check()
            raise Unknown(type(error).__name__) from error

    def _statements(self, carts: Mapping[UserId, Cart]) -> Iterator[Call]:
        before = {**self._found, **self._new}
        if opened := [cart for owner, cart in carts.items() if owner in self._new]:
            yield cart_rows.insert(self._tenant_id, opened)
        if changed := [cart for owner, cart in carts.items() if owner in self._found]:
            yield cart_rows.update(self._tenant_id, changed)
        yield from cart_rows.change_lines(self._tenant_id, [(before[owner], cart) for owner, cart in carts.items()])
