"""Change the categories, for admins: add one, change or move one, remove one."""

from dataclasses import dataclass

from app.contexts.catalog.application.ports import Categories
from app.contexts.catalog.domain.category import Category, Tree
from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.shelf_refusals import CategoryNotFound
from app.kernel.principal import TenantId


@dataclass(frozen=True, slots=True)
class ChangeCategories:
    """Changes categories."""

    categories: Categories

    async def add(self, category: Category) -> tuple[Category, Tree]:
        """It, and all that there are then.

        Raises:
            Unfit: there is no such parent, or it would be too deep.
            SlugTaken: another has its slug.
            Unavailable: it cannot be done now.
        """

        def decide(tree: Tree) -> Category:
            tree.see_to_a_place(category)
            return category

        return await self.categories.add(category.tenant_id, decide)

    async def edit(self, category: Category) -> tuple[Category, Tree]:
        """The category as it is from now on, all of it, and all that there are then.

        Raises:
            CategoryNotFound: there is none with that id.
            CategoryCycle: it would be below itself.
            Unfit: there is no such parent, or it would be too deep.
            SlugTaken: another has its slug.
            Unavailable: it cannot be done now.
        """

        def decide(tree: Tree) -> Category:
            if tree.get(category.id) is None:
                raise CategoryNotFound
            tree.see_to_a_place(category)
            return category

        return await self.categories.change(category.tenant_id, decide)

    async def remove(self, tenant_id: TenantId, category_id: CategoryId) -> None:
        """Have it gone.

        Raises:
            CategoryNotFound: there is none with that id.
            CategoryInUse: there are categories below it, or products in it.
            Unavailable: it cannot be done now.
        """
        await self.categories.remove(tenant_id, category_id)
