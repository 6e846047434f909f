"""Lists of products in PostgreSQL."""

from collections.abc import Sequence

from app.contexts.catalog.adapters.postgres import listing_statements as statements
from app.contexts.catalog.adapters.postgres import search_queries
from app.contexts.catalog.application.browse import NOTHING, Listed, Position, Sort, Wanted
from app.contexts.catalog.domain.ids import ProductId
from app.kernel.principal import TenantId
from app.platform.postgres.errors import reading
from app.platform.postgres.pipeline import Row
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresListings:
    """It implements `Listings`. What is searched is in `language`, a text search configuration.

    The pool's plans are made for the values of each statement.
    """

    def __init__(self, rows: TenantRows, pool: Pool, language: str) -> None:
        self._rows = rows
        self._pool = pool
        self._language = f"pg_catalog.{language}"

    @reading
    async def page(self, tenant_id: TenantId, wanted: Wanted) -> Listed:
        """See `Listings.page`."""
        if wanted.filters.text is None:
            (rows,) = await self._rows.run(tenant_id, statements.page(tenant_id, wanted))
            return _listed(rows, wanted.limit)
        async with self._rows.open(tenant_id) as transaction:
            ((read,),), _ = await transaction.begin((statements.READ_QUERY, (self._language, wanted.filters.text)))
            query = search_queries.read(read[0])
            if query is None:
                return NOTHING
            by_rank = wanted.sort is Sort.RANK
            search = await self._search(transaction, tenant_id, read[0], query, by_rank=by_rank)
            calls = [statements.page(tenant_id, wanted, search)]
            if statements.is_walked(wanted, search):
                calls.insert(0, statements.IN_ITS_ORDER)
            *_, rows = await transaction.read(*calls)
        return _listed(rows, wanted.limit)

    async def _search(
        self, transaction: TenantTransaction, tenant_id: TenantId, text: str, query: search_queries.Query, *,
        by_rank: bool,
    ) -> statements.Search:  # fmt: skip
        """How the query is looked for: by its rarest lexemes, where there is a choice."""
        lexemes, required = {*search_queries.lexemes(query)}, {*search_queries.required(query)}
        counts: dict[str, int] = {}
        if len(lexemes) > 1 and (by_rank or not required or len(required) > statements.MOST_LOOKED_UP):
            (rows,) = await transaction.read((statements.COUNTS, (tenant_id, sorted(lexemes))))
            counts = dict(rows)
        rarest = sorted(required, key=lambda lexeme: (counts.get(lexeme, 0), lexeme))[: statements.MOST_LOOKED_UP]
        return statements.Search(
            query=text,
            ranked_by=search_queries.ranked_by(query) or "",
            required=rarest,
            is_ranked_by_them={*rarest} == lexemes,
            is_ranked_by_first=by_rank and bool(rarest) and counts.get(rarest[0], 0) >= statements.MOST_COUNTED,
            is_plain=len(rarest) == len(required) and search_queries.is_plain(query),
            cover=None if required else search_queries.cover(query, counts),
        )


def _listed(rows: Sequence[Row], limit: int) -> Listed:
    products = [ProductId(row[3]) for row in rows[:limit]]
    return Listed(products, Position(*rows[limit - 1]) if len(rows) > limit else None)
