"""Carts, checkouts and orders in PostgreSQL: two round trips a batch, whatever its size."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from app.contexts.ordering.adapters.postgres import checkout_rows, order_writes
from app.contexts.ordering.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.ordering.adapters.postgres.order_rows import order_of
from app.contexts.ordering.application.asked import CheckoutRequest
from app.contexts.ordering.application.books import Changes, Claimed, Held, HeldOrders
from app.contexts.ordering.domain.checkout import Checkout, CheckoutRef
from app.contexts.ordering.domain.ids import CheckoutId, OrderId
from app.contexts.ordering.domain.order import Order
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import Answer, KeyRecord, KeyScope
from app.platform.idempotency.requests import KEYS, id_of
from app.platform.idempotency.statements import records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction

Records = Mapping[KeyScope, KeyRecord[CheckoutId]]


class PostgresBooks:
    """The books in PostgreSQL. It implements `Books`."""

    def __init__(self, rows: TenantRows) -> None:
        self._rows = rows

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresWork"]:
        """See `Books.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresWork(transaction, tenant_id)


class PostgresWork:
    """One transaction. It implements `Work`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id

    async def claim(self, requests: Sequence[CheckoutRequest]) -> Claimed:
        """See `Work.claim`."""
        buyers = dict.fromkeys(request.buyer_id for request in requests)
        (claims, carts, lines), now = await self._transaction.begin(
            KEYS.claim([(*request.scope, request.fingerprint, request.checkout_id) for request in requests]),
            *checkout_rows.lock_carts(self._tenant_id, buyers),
        )
        own = won(claims)
        lost = [request.scope for request in requests if request.scope not in own]
        records = await self._records(lost)
        if len(records) < len(lost):
            raise Retry  # an old record was purged between two of our statements
        under_way = checkout_rows.under_way(self._tenant_id, carts)
        (checkouts,) = await self._transaction.read(under_way) if under_way else ((),)
        return Claimed(own, records, checkout_rows.carts_of(carts, lines, checkouts), now)

    async def lock(self, checkouts: Collection[CheckoutRef], *, with_carts: bool = False) -> Held:
        """See `Work.lock`."""
        (rows, *_, of_orders), now = await self._transaction.begin(
            checkout_rows.lock(self._tenant_id, checkouts),
            *([checkout_rows.lock_their_carts(self._tenant_id, checkouts)] if with_carts else []),
            order_writes.of_checkouts(self._tenant_id, checkouts),
        )
        held = {checkout.id: checkout for checkout in map(checkout_rows.checkout_of, rows)}
        orders: dict[CheckoutId, list[Order]] = {}
        for order in map(order_of, of_orders):
            orders.setdefault(order.checkout_id, []).append(order)
        return Held(held, orders, await self._answers(held.values()), now)

    async def lock_orders(self, orders: Collection[OrderId]) -> HeldOrders:
        """See `Work.lock_orders`."""
        (rows, sales), now = await self._transaction.begin(*order_writes.lock(self._tenant_id, orders))
        return HeldOrders({order.id: order for order in map(order_of, rows)}, order_writes.sales_of(sales), now)

    async def commit(self, changes: Changes) -> None:
        """See `Work.commit`."""
        await self._transaction.commit(self._statements(changes))

    def _statements(self, changes: Changes) -> Iterator[Call]:
        if changes.new_checkouts:
            yield checkout_rows.insert(changes.new_checkouts)
            yield checkout_rows.check_out_carts(self._tenant_id, changes.new_checkouts)
        if changes.new_orders:
            yield order_writes.insert(changes.new_orders)
        if changes.changed_orders:
            yield order_writes.update(self._tenant_id, changes.changed_orders)
        if changes.ended_checkouts:
            yield from checkout_rows.end(self._tenant_id, changes.ended_checkouts)
        if changes.events:
            yield OUTBOX.insert([outbox_row(event) for event in changes.events])
        if changes.answers:
            yield KEYS.store(changes.answers, changes.made)
        if changes.forgotten:
            yield KEYS.forget(changes.forgotten)

    async def _answers(self, checkouts: Collection[Checkout]) -> Mapping[CheckoutId, Answer]:
        """What was stored of those that have ended. The key of one that was given up may be another's since."""
        ended = {(c.buyer_id, c.key): c for c in checkouts if not c.is_pending and c.key is not None}
        records = await self._records([*ended])
        return {
            ended[scope].id: record.answer
            for scope, record in records.items()
            if record.answer and record.made == (ended[scope].id if ended[scope].is_paid else None)
        }

    async def _records(self, scopes: Sequence[KeyScope]) -> Records:
        if not scopes:
            return {}
        (rows,) = await self._transaction.read(KEYS.records(scopes))
        return records_of(rows, lambda shown: CheckoutId(id_of(shown)))
