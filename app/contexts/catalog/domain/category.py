"""Categories, which form a tree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.contexts.catalog.domain.ids import CategoryId
from app.contexts.catalog.domain.shelf_refusals import CategoryCycle, Unfit
from app.kernel.principal import TenantId

DEEPEST: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A category, below another or at the top."""

    id: CategoryId
    tenant_id: TenantId
    name: str
    slug: str
    parent_id: CategoryId | None = None
    description: str | None = None
    image_url: str | None = None
    sort_order: int = 0
    is_active: bool = True


class Tree:
    """The categories of a tenant that are not deleted. Their order is that in which they are shown."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self._all: dict[CategoryId, Category] = {}
        self._below: dict[CategoryId | None, list[Category]] = {}
        for category in sorted(categories, key=lambda each: (each.sort_order, each.name, each.id)):
            self._all[category.id] = category
            self._below.setdefault(category.parent_id, []).append(category)

    def get(self, category_id: CategoryId) -> Category | None:
        """The category with that id."""
        return self._all.get(category_id)

    def children(self, category_id: CategoryId | None) -> Sequence[Category]:
        """Those right below it; of None, those at the top."""
        return self._below.get(category_id, ())

    def see_to_a_place(self, category: Category) -> None:
        """See to it that the category, new or there already, may be where it says.

        Raises:
            Unfit: there is no such parent, or it would be too deep.
            CategoryCycle: it would be below itself.
        """
        depth = 0
        parent_id = category.parent_id
        while parent_id is not None:
            if parent_id == category.id:
                raise CategoryCycle
            parent = self._all.get(parent_id)
            if parent is None:
                raise Unfit("parent_id", "must be a category that there is")
            depth, parent_id = depth + 1, parent.parent_id
        if depth + self._height(category.id) > DEEPEST:
            raise Unfit("parent_id", f"must leave the tree at most {DEEPEST} deep")

    def _height(self, category_id: CategoryId) -> int:
        return 1 + max((self._height(each.id) for each in self.children(category_id)), default=0)


def active(tree: Tree, below: CategoryId | None = None) -> Iterator[Category]:
    """The categories that are shown: active, and below none that is not; each before those below it."""
    for category in tree.children(below):
        if category.is_active:
            yield category
            yield from active(tree, category.id)


def subtrees(tree: Tree) -> Mapping[str, Sequence[CategoryId]]:
    """By the slug of each category that is shown, itself and those below it that are."""
    return {each.slug: [each.id, *(below.id for below in active(tree, each.id))] for each in active(tree)}
