"""What products are searched by, in PostgreSQL: a document of each, and a row for each of its lexemes."""

from typing import Final
from uuid import UUID

from app.contexts.catalog.adapters.cache.kinds import PAGES_KEY
from app.contexts.catalog.adapters.postgres import product_statements as statements
from app.contexts.catalog.adapters.postgres.product_rows import key_of, product_of
from app.contexts.catalog.application.reindex import LookedAt, Words
from app.contexts.catalog.domain.ids import ProductId
from app.contexts.catalog.domain.product import Product
from app.kernel.principal import TenantId
from app.platform.cache.deletions import CacheDeletions, Forgets
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows

_DELETIONS: Final = CacheDeletions("catalog")
_START: Final = (-1, UUID(int=0))
"""In front of every product."""

COUNT: Final = Statement(
    "SELECT count(*) FROM catalog.products p WHERE p.tenant_id = %b::uuid AND p.deleted_at IS NULL"
)

# In the order of the key, whoever's they are: a batch takes up where the one before it ended.
LOOK: Final = Statement(f"""
    SELECT p.id, d.document IS DISTINCT FROM {statements.DOCUMENT.format(title="p.title", description="p.description")}
    FROM (
        SELECT * FROM catalog.products
        WHERE tenant_id = %b::uuid AND deleted_at IS NULL AND (bucket, id) > (%b::smallint, %b::uuid)
        ORDER BY bucket, id LIMIT %b::bigint
    ) p
    CROSS JOIN (SELECT %b::text::regconfig AS language) r
    LEFT JOIN catalog.product_documents d ON d.bucket = p.bucket AND d.product_id = p.id
    ORDER BY p.bucket, p.id
""")


class PostgresWords(Words):
    """In `language`, a text search configuration."""

    def __init__(self, rows: TenantRows, pool: Pool, forgetter: Forgets, language: str) -> None:
        self._rows, self._pool, self._forgetter = rows, pool, forgetter
        self.language = language

    @reading
    async def count(self, tenant_id: TenantId) -> int:
        """See `Words.count`."""
        (((count,),),) = await self._rows.run(tenant_id, (COUNT, (tenant_id,)))
        return int(count)

    @reading
    async def look(self, tenant_id: TenantId, after: ProductId | None, most: int) -> LookedAt:
        """See `Words.look`."""
        place = _START if after is None else key_of(after)
        (rows,) = await self._rows.run(tenant_id, (LOOK, (tenant_id, *place, most, configuration(self.language))))
        others = [ProductId(product_id) for product_id, is_other in rows if is_other]
        return LookedAt(len(rows), others, ProductId(rows[-1][0]) if len(rows) == most else None)

    @writing
    async def write(self, tenant_id: TenantId, product_id: ProductId) -> None:
        """See `Words.write`."""
        key = (*key_of(product_id), tenant_id)
        async with self._rows.open(tenant_id) as transaction:
            (rows,), _ = await transaction.begin((statements.LOCK, key))
            if rows:
                await transaction.commit(
                    [(statements.DROP_LEXEMES, key), *searched(product_of(rows[0]), self.language)]
                )

    @writing
    async def forget_pages(self, tenant_id: TenantId) -> None:
        """See `Words.forget_pages`."""
        note = _DELETIONS.note(tenant_id, [PAGES_KEY])
        try:
            await self._rows.run(tenant_id, note.call)
        finally:
            await self._forgetter.forget(note)


def searched(product: Product, language: str) -> list[Call]:
    """What writes down what a product is searched by, where its lexemes were dropped, or where it is new."""
    number, id_ = key_of(product.id)
    written = (number, product.tenant_id, id_, *text_of(product), configuration(language))
    return [
        (statements.WRITE_DOCUMENT, written),
        (statements.WRITE_LEXEMES, (product.created_at, number, id_, product.tenant_id)),
    ]


def text_of(product: Product) -> tuple[str, str]:
    """What of it is searched."""
    return product.details.title, product.details.description


def configuration(language: str) -> str:
    """The text search configuration of the language, whatever is first on the path."""
    return f"pg_catalog.{language}"
