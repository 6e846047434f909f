"""Categories in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from psycopg.errors import UniqueViolation

from app.contexts.catalog.adapters.cache.kinds import PAGES_KEY, TREE_KEY
from app.contexts.catalog.adapters.postgres.products import DELETIONS
from app.contexts.catalog.application.ports import DecideOnTree
from app.contexts.catalog.domain.category import Category, Tree
from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.shelf_refusals import CategoryInUse, CategoryNotFound, SlugTaken
from app.kernel.principal import TenantId
from app.platform.cache.deletions import Forgets
from app.platform.postgres.errors import reading, writing
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.tenancy import TenantRows, TenantTransaction

_SLUGS: Final = "categories_slug"

# Whoever changes one holds all that there are: so no two make a ring, or a tree too deep, between them.
_LOCK: Final = Statement("""
    SELECT c.id FROM catalog.categories c
    WHERE c.tenant_id = %b::uuid AND c.deleted_at IS NULL
    ORDER BY c.id
    FOR UPDATE
""")
# A statement of its own behind the locks: it sees what their last holders wrote.
ALL: Final = Statement("""
    SELECT c.id, c.tenant_id, c.name, c.slug, c.parent_id, c.description, c.image_url, c.sort_order, c.is_active
    FROM catalog.categories c
    WHERE c.tenant_id = %b::uuid AND c.deleted_at IS NULL
""")
HAS_PRODUCTS: Final = Statement("""
    SELECT 1 FROM catalog.products p
    WHERE p.tenant_id = %b::uuid AND p.category_id = %b::uuid AND p.deleted_at IS NULL
    LIMIT 1
""")
_INSERT: Final = Statement("""
    INSERT INTO catalog.categories (tenant_id, id, name, slug, parent_id, description, image_url, sort_order, is_active,
        created_at, updated_at)
    SELECT r.*, now.at, now.at
    FROM (SELECT %b::uuid, %b::uuid, %b::text, %b::text, %b::uuid, %b::text, %b::text, %b::bigint, %b::boolean) r,
         (SELECT clock_timestamp() AS at) now
""")
_UPDATE: Final = Statement("""
    UPDATE catalog.categories c
    SET name = %b::text, slug = %b::text, parent_id = %b::uuid, description = %b::text, image_url = %b::text,
        sort_order = %b::bigint, is_active = %b::boolean, updated_at = clock_timestamp()
    WHERE c.tenant_id = %b::uuid AND c.id = %b::uuid
""")
_DELETE: Final = Statement("""
    UPDATE catalog.categories c SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE c.tenant_id = %b::uuid AND c.id = %b::uuid
""")


class PostgresCategories:
    """It implements `Categories` and `TreeReader`."""

    def __init__(self, rows: TenantRows, pool: Pool, forgetter: Forgets) -> None:
        self._rows = rows
        self._pool = pool
        self._forgetter = forgetter

    @reading
    async def all(self, tenant_id: TenantId) -> Sequence[Category]:
        """See `TreeReader.all`."""
        (rows,) = await self._rows.run(tenant_id, (ALL, (tenant_id,)))
        return [*map(_category_of, rows)]

    @writing
    async def add(self, tenant_id: TenantId, decide: DecideOnTree) -> tuple[Category, Tree]:
        """See `Categories.add`."""
        async with self._rows.open(tenant_id) as transaction:
            categories = await _locked(transaction, tenant_id)
            added = decide(Tree(categories))
            await self._commit(transaction, tenant_id, (_INSERT, (tenant_id, added.id, *_said(added))))
        return added, Tree([*categories, added])

    @writing
    async def change(self, tenant_id: TenantId, decide: DecideOnTree) -> tuple[Category, Tree]:
        """See `Categories.change`."""
        async with self._rows.open(tenant_id) as transaction:
            categories = await _locked(transaction, tenant_id)
            changed = decide(Tree(categories))
            await self._commit(transaction, tenant_id, (_UPDATE, (*_said(changed), tenant_id, changed.id)))
        return changed, Tree([changed, *(each for each in categories if each.id != changed.id)])

    @writing
    async def remove(self, tenant_id: TenantId, category_id: CategoryId) -> None:
        """See `Categories.remove`."""
        async with self._rows.open(tenant_id) as transaction:
            tree = Tree(await _locked(transaction, tenant_id))
            if tree.get(category_id) is None:
                raise CategoryNotFound
            (products,) = await transaction.read((HAS_PRODUCTS, (tenant_id, category_id)))
            if products or tree.children(category_id):
                raise CategoryInUse
            await self._commit(transaction, tenant_id, (_DELETE, (tenant_id, category_id)))

    async def _commit(self, transaction: TenantTransaction, tenant_id: TenantId, call: Call) -> None:
        note = DELETIONS.note(tenant_id, [TREE_KEY, PAGES_KEY])
        try:
            await transaction.commit([call, note.call])
        except UniqueViolation as error:
            if error.diag.constraint_name != _SLUGS:
                raise
            raise SlugTaken from None
        finally:  # of a COMMIT whose answer was lost nobody knows whether it happened
            await self._forgetter.forget(note)


async def _locked(transaction: TenantTransaction, tenant_id: TenantId) -> list[Category]:
    (_, rows), _ = await transaction.begin((_LOCK, (tenant_id,)), (ALL, (tenant_id,)))
    return [*map(_category_of, rows)]


def _category_of(row: Row) -> Category:
    category_id, tenant_id, name, slug, parent_id, description, image_url, sort_order, is_active = row
    return Category(
        id=category_id,
        tenant_id=tenant_id,
        name=name,
        slug=slug,
        parent_id=parent_id,
        description=description,
        image_url=image_url,
        sort_order=sort_order,
        is_active=is_active,
    )


def _said(category: Category) -> tuple[object, ...]:
    return (
        category.name, category.slug, category.parent_id, category.description, category.image_url,
        category.sort_order, category.is_active,
    )  # fmt: skip
