"""What HTTP offers of the catalogue."""

from collections.abc import Sequence

from app.contexts.catalog.adapters.http.categories import Categories
from app.contexts.catalog.adapters.http.lists import ListedProducts
from app.contexts.catalog.adapters.http.products import SingleProducts
from app.contexts.catalog.container import CatalogContainer
from app.platform.cache.http import Invalidating
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def operations(container: CatalogContainer, http: Http) -> Sequence[Operation]:
    """All of it."""
    shown = container.shown()
    categories = Categories(shown=shown, change=container.change_categories(), ids=uuid7, http=http)
    products = SingleProducts(
        shown=shown, change=container.change_products(), viewed=container.views().viewed, http=http
    )
    lists = ListedProducts(container.pages(), http)
    invalidating = Invalidating(container.platform.cache(), http)
    return [
        *categories.operations(),
        *products.operations(),
        *lists.operations(),
        *invalidating.operations(),
    ]
