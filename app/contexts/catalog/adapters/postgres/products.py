"""Products in PostgreSQL, for whoever changes them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from app.contexts.catalog.adapters.cache.kinds import PAGES_KEY, product_key
from app.contexts.catalog.adapters.postgres import product_statements as statements
from app.contexts.catalog.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.catalog.adapters.postgres.product_rows import inserted, key_of, product_of, updated
from app.contexts.catalog.adapters.postgres.words import searched, text_of
from app.contexts.catalog.application.ports import NewProduct
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.product import Decide, Event, EventType, Product
from app.contexts.catalog.domain.shelf_refusals import ProductInAuction, ProductNotFound, Unfit
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.cache.deletions import CacheDeletions, Forgets
from app.platform.postgres.errors import writing
from app.platform.postgres.pipeline import Call
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows, TenantTransaction

DELETIONS: Final = CacheDeletions("catalog")


class PostgresProducts:
    """Implements `Products`. What is searched of them is in `language`, a text search configuration."""

    def __init__(self, rows: TenantRows, pool: Pool, forgetter: Forgets, ids: Ids, language: str) -> None:
        self._rows = rows
        self._pool = pool
        self._forgetter = forgetter
        self._ids = ids
        self._language = language

    @writing
    async def add(self, product: NewProduct) -> Product:
        """See `Products.add`."""
        tenant_id, category_id = product.tenant_id, product.details.category_id
        async with self._rows.open(tenant_id) as transaction:
            (categories,), now = await transaction.begin((statements.CATEGORY, (tenant_id, category_id)))
            _see_to_category(category_id, categories)
            added = Product(
                id=product.id,
                tenant_id=tenant_id,
                seller_id=product.seller_id,
                details=product.details,
                featured=product.featured,
                created_at=now,
                updated_at=now,
            )
            calls = [(statements.INSERT, inserted(product, now)), *searched(added, self._language)]
            await self._commit(transaction, added, EventType.CREATED, calls)
        return added

    @writing
    async def change(
        self, tenant_id: TenantId, product_id: ProductId, category_id: CategoryId | None, decide: Decide
    ) -> Product:
        """See `Products.change`."""
        key = (*key_of(product_id), tenant_id)
        async with self._rows.open(tenant_id) as transaction:
            (rows, categories), now = await transaction.begin(
                (statements.LOCK, key),
                (statements.CATEGORY, (tenant_id, category_id)),
            )
            _see_to_category(category_id, categories)
            before = _only(rows)
            changed = replace(decide(before), updated_at=now)
            calls: list[Call] = [(statements.UPDATE, updated(changed))]
            if text_of(changed) != text_of(before):
                calls += [(statements.DROP_LEXEMES, key), *searched(changed, self._language)]
            await self._commit(transaction, changed, EventType.UPDATED, calls)
        return changed

    @writing
    async def remove(self, tenant_id: TenantId, product_id: ProductId, decide: Decide) -> None:
        """See `Products.remove`."""
        key = (*key_of(product_id), tenant_id)
        async with self._rows.open(tenant_id) as transaction:
            (rows, pins), now = await transaction.begin(
                (statements.LOCK, key), (statements.IS_PINNED, (tenant_id, product_id))
            )
            gone = replace(decide(_only(rows)), updated_at=now)
            if pins:
                raise ProductInAuction
            calls = [
                (statements.DELETE, (gone.version, gone.edits, now, now, *key)),
                (statements.DROP_LEXEMES, key),
                (statements.DROP_DOCUMENT, key),
            ]
            await self._commit(transaction, gone, EventType.DELETED, calls)

    async def _commit(
        self, transaction: TenantTransaction, product: Product, told: EventType, calls: Sequence[Call]
    ) -> None:
        event = Event(EventId(self._ids()), told, product)
        note = DELETIONS.note(product.tenant_id, [product_key(product.id), PAGES_KEY])
        try:
            await transaction.commit([*calls, OUTBOX.insert([outbox_row(event)]), note.call])
        finally:  # of a COMMIT whose answer was lost nobody knows whether it happened
            await self._forgetter.forget(note)


def _only(rows: Sequence[tuple[object, ...]]) -> Product:
    if not rows:
        raise ProductNotFound
    return product_of(rows[0])


def _see_to_category(wanted: CategoryId | None, found: Sequence[object]) -> None:
    if wanted is not None and not found:
        raise Unfit("category_id", "must be a category that there is")
