"""GET and POST /v1/categories, PUT and DELETE /v1/categories/{id}."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct, json

from app.contexts.catalog.adapters.cache.shown import Shown
from app.contexts.catalog.adapters.http import examples
from app.contexts.catalog.adapters.http.bodies import CATEGORY_BODY
from app.contexts.catalog.adapters.http.errors import (
    CATEGORY_CYCLE,
    CATEGORY_IN_USE,
    NO_SUCH_CATEGORY,
    SLUG_TAKEN,
    UNFIT,
)
from app.contexts.catalog.adapters.http.parameters import CATEGORY
from app.contexts.catalog.adapters.shapes import CategoryShape, category_shape
from app.contexts.catalog.application.change_categories import ChangeCategories
from app.contexts.catalog.domain.ids import CategoryId
from app.kernel.new_ids import Ids
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.finishing import finished
from app.platform.http.operations import ADMINS, BEARER, MAYBE_BEARER, Operation, Request, Success
from app.platform.http.replies import NO_CONTENT, Reply

TAG = "categories"
_ONE, _ALL = "/v1/categories/{id}", "/v1/categories"

_encode = json.Encoder().encode


class CategoriesShape(Struct, frozen=True):
    """The tree of categories that are active, in the order in which they are shown."""

    categories: list[CategoryShape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """The handlers, with what they need."""

    shown: Shown
    change: ChangeCategories
    ids: Ids
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        return [self._list(), self._post(), self._put(), self._delete()]

    def _list(self) -> Operation:
        return Operation(
            method="GET",
            template=_ALL,
            name="listCategories",
            tag=TAG,
            summary="Read the tree of categories",
            description="Those that are active. What is below one that is not is not shown either.",
            who=MAYBE_BEARER,
            handler=self.list_categories,
            successes=(_TREE,),
            refusals=(codes.UNAVAILABLE,),
        )

    def _post(self) -> Operation:
        return Operation(
            method="POST",
            template=_ALL,
            name="addCategory",
            tag=TAG,
            summary="Add a category",
            who=BEARER,
            access=ADMINS,
            handler=self.add_category,
            body=CATEGORY_BODY,
            successes=(_ADDED,),
            refusals=(UNFIT, SLUG_TAKEN, codes.UNAVAILABLE),
        )

    def _put(self) -> Operation:
        return Operation(
            method="PUT",
            template=_ONE,
            name="replaceCategory",
            tag=TAG,
            summary="Change or move a category",
            description="It is what the body says, and nothing of what it was. Those below it move with it.",
            who=BEARER,
            access=ADMINS,
            handler=self.replace_category,
            parameters=(CATEGORY,),
            body=CATEGORY_BODY,
            successes=(_CHANGED,),
            refusals=(UNFIT, NO_SUCH_CATEGORY, SLUG_TAKEN, CATEGORY_CYCLE, codes.UNAVAILABLE),
        )

    def _delete(self) -> Operation:
        return Operation(
            method="DELETE",
            template=_ONE,
            name="removeCategory",
            tag=TAG,
            summary="Remove a category",
            who=BEARER,
            access=ADMINS,
            handler=self.remove_category,
            parameters=(CATEGORY,),
            successes=(_GONE,),
            refusals=(NO_SUCH_CATEGORY, CATEGORY_IN_USE, codes.UNAVAILABLE),
        )

    async def list_categories(self, request: Request) -> Reply:
        """The tree."""
        tree = await self.http.in_flight.read(self.shown.tree(request.tenant_id), self.http.timeout_s)
        return Reply(200, tree.body)

    async def add_category(self, request: Request) -> Reply:
        """Add one."""
        new = request[CATEGORY_BODY].category(request.asker.tenant_id, CategoryId(self.ids()))
        category, tree = await finished(self.http, self.change.add(new))
        return Reply(201, _encode(category_shape(category, tree)))

    async def replace_category(self, request: Request) -> Reply:
        """Change one."""
        wanted = request[CATEGORY_BODY].category(request.asker.tenant_id, request[CATEGORY])
        category, tree = await finished(self.http, self.change.edit(wanted))
        return Reply(200, _encode(category_shape(category, tree)))

    async def remove_category(self, request: Request) -> Reply:
        """Remove one."""
        await finished(self.http, self.change.remove(request.asker.tenant_id, request[CATEGORY]))
        return Reply(NO_CONTENT, b"")


_TREE = Success(
    status=200,
    description="The categories, each with those below it.",
    type=CategoriesShape,
    example={"categories": [examples.CATEGORY]},
)
_ADDED = Success(status=201, description="The category.", type=CategoryShape, example=examples.CATEGORY)
_CHANGED = Success(
    status=200, description="The category, with those below it.", type=CategoryShape, example=examples.CATEGORY
)
_GONE = Success(status=204, description="It is gone.", type=None)
