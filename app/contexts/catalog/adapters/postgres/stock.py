"""The stock in PostgreSQL: two round trips a batch, whatever its size.

The first begins the transaction and claims or locks, in the one order that all works keep (reservations, products, each
by its key). The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from app.contexts.catalog.adapters.cache.kinds import PAGES_KEY, product_key
from app.contexts.catalog.adapters.postgres import line_rows, pile_rows, reservation_rows
from app.contexts.catalog.adapters.postgres.tables import SCHEMA
from app.contexts.catalog.application.stock_room import Changes, Found, Record, Standing
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.offer import Offer
from app.contexts.catalog.domain.pile import Pile
from app.contexts.catalog.domain.reservation import Reservation
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.platform.cache.deletions import CacheDeletions, Forgets, Note
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction

DELETIONS: Final = CacheDeletions(SCHEMA)


class PostgresStockRoom:
    """The stock in PostgreSQL. It implements `StockRoom` and `Prohibitions`.

    After a work, however it ended, the cache of this process has forgotten what the work has changed, and Redis is
    about to: nobody waits for it, least of all the next batch.
    """

    def __init__(self, rows: TenantRows, forgetter: Forgets) -> None:
        self._rows = rows
        self._forgetter = forgetter

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresStockWork"]:
        """See `StockRoom.begin`."""
        work: PostgresStockWork | None = None
        try:
            async with self._rows.open(tenant_id) as transaction:
                yield (work := PostgresStockWork(transaction, tenant_id))
        finally:  # of a COMMIT whose answer was lost nobody knows whether it happened
            if work is not None and work.stale is not None:
                self._forgetter.begin(work.stale)

    async def forbid(self, tenant_id: TenantId, operations: Sequence[OperationId]) -> Mapping[OperationId, Record]:
        """See `Prohibitions.forbid`."""
        async with self._rows.open(tenant_id) as transaction:
            (_, rows), _ = await transaction.begin(
                reservation_rows.forbid(tenant_id, operations), reservation_rows.records(tenant_id, operations)
            )
            await transaction.commit([])
        return reservation_rows.records_of(rows)


class PostgresStockWork:
    """One transaction. It implements `StockWork`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id
        self._now: datetime | None = None
        self.stale: Note | None = None
        """What the cache has to forget of it, once its COMMIT is on its way."""

    async def find(self, reservations: Sequence[Reservation], operations: Collection[OperationId]) -> Found:
        """See `StockWork.find`."""
        tenant_id = self._tenant_id
        products = {line.product_id for reservation in reservations for line in reservation.lines}
        claiming = [reservation_rows.claim(tenant_id, reservations)] if reservations else []
        locking = [reservation_rows.lock(tenant_id, operations), line_rows.read(tenant_id, operations)]
        (*found, piles), self._now = await self._transaction.begin(
            *claiming, *(locking if operations else ()), pile_rows.lock(tenant_id, products, operations)
        )
        claims = found[0] if reservations else []
        locked, lines = found[-2:] if operations else ([], [])
        own, buyers = reservation_rows.claimed(claims), reservation_rows.buyers_of(locked)
        records = await self._records([each.operation for each in reservations if each.operation not in own])
        standing = {of: Standing(buyers[of], own_lines) for of, own_lines in line_rows.lines_of(lines).items()}
        return Found(records, standing, pile_rows.piles_of(piles))

    async def _records(self, lost: Sequence[OperationId]) -> Mapping[OperationId, Record]:
        """Of operations that others have claimed."""
        if not lost:
            return {}
        (rows,) = await self._transaction.read(reservation_rows.records(self._tenant_id, lost))
        records = reservation_rows.records_of(rows)
        if len(records) < len(lost):
            raise Retry
        return records

    async def commit(self, changes: Changes) -> None:
        """See `StockWork.commit`."""
        if changes.piles:
            self.stale = DELETIONS.note(self._tenant_id, _keys_of(changes.piles))
        await self._transaction.commit(self._statements(changes))

    def _statements(self, changes: Changes) -> Iterator[Call]:
        if changes.piles:
            yield pile_rows.write(self._tenant_id, changes.piles)
        if changes.lines:
            yield line_rows.insert(self._tenant_id, changes.lines)
        if changes.refusals:
            yield reservation_rows.refuse(self._tenant_id, changes.refusals)
        if changes.statuses:
            yield line_rows.settle(self._tenant_id, changes.statuses)
        if changes.purchases:
            assert self._now is not None
            yield from line_rows.purchase(self._tenant_id, self._now, changes.purchases)
        if self.stale is not None:
            yield self.stale.call


def _keys_of(piles: Sequence[Pile]) -> Collection[str]:
    """Where the products are kept, and the pages of all, if some of it is there now that was not, or no longer."""
    keys = [product_key(pile.product_id) for pile in piles]
    return [*keys, PAGES_KEY] if any(pile.passed_zero for pile in piles) else keys


class PostgresOffers:
    """Reads offers. It implements `OfferReader`."""

    def __init__(self, rows: TenantRows) -> None:
        self._rows = rows

    async def offers(self, tenant_id: TenantId, products: Collection[ProductId]) -> Mapping[ProductId, Offer]:
        """See `OfferReader.offers`."""
        (rows,) = await self._rows.run(tenant_id, pile_rows.offers(tenant_id, products))
        return pile_rows.offers_of(rows)
