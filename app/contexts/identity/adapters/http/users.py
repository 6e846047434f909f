"""GET /v1/users, GET and PATCH /v1/users/{id}."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from uuid import UUID

from msgspec import UNSET

from app.contexts.identity.adapters.http import examples
from app.contexts.identity.adapters.http.answering import answer
from app.contexts.identity.adapters.http.bodies import USER_BODY
from app.contexts.identity.adapters.http.errors import NO_SUCH_USER, TOO_MANY_CHANGES
from app.contexts.identity.adapters.http.parameters import CURSOR, IS_ACTIVE, ROLE, TEXT, USER
from app.contexts.identity.adapters.http.views import (
    AdminUserAnswer,
    SomebodyAnswer,
    UsersAnswer,
    admin_view,
    public_view,
    view_for_admins,
)
from app.contexts.identity.application.change_user import ChangeUser
from app.contexts.identity.application.ports import Filters
from app.contexts.identity.application.read_users import ReadUsers
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.platform.context import Http
from app.platform.http import codes, queries
from app.platform.http.errors import Problem, validation
from app.platform.http.finishing import finished
from app.platform.http.operations import ADMINS, BEARER, Operation, Request, Success
from app.platform.http.parameters import LIMIT
from app.platform.http.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Anybody:
    """The handlers, with what they need."""

    read: ReadUsers
    change: ChangeUser
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        return [self._get(), self._list(), self._patch()]

    def _get(self) -> Operation:
        return Operation(
            method="GET",
            template="/v1/users/{id}",
            name="getUser",
            tag="people",
            summary="Read who somebody is",
            description="An admin sees all but secrets.",
            who=BEARER,
            handler=self.get_user,
            parameters=(USER,),
            successes=(_ONE,),
            refusals=(NO_SUCH_USER, codes.UNAVAILABLE),
        )

    def _list(self) -> Operation:
        return Operation(
            method="GET",
            template="/v1/users",
            name="listUsers",
            tag="people",
            summary="Read the users of the tenant",
            who=BEARER,
            access=ADMINS,
            handler=self.list_users,
            parameters=(LIMIT, CURSOR, TEXT, ROLE, IS_ACTIVE),
            successes=(_PAGE,),
            refusals=(codes.UNAVAILABLE,),
        )

    def _patch(self) -> Operation:
        return Operation(
            method="PATCH",
            template="/v1/users/{id}",
            name="changeUser",
            tag="people",
            summary="Change somebody's role, or whether they are let in",
            description="Whoever is no longer active has no session any more, and is let in nowhere.",
            who=BEARER,
            access=ADMINS,
            handler=self.change_user,
            parameters=(USER,),
            body=USER_BODY,
            successes=(_CHANGED,),
            refusals=(NO_SUCH_USER, TOO_MANY_CHANGES, codes.UNAVAILABLE),
        )

    async def get_user(self, request: Request) -> Reply:
        """Who somebody is."""
        asker = request.asker
        user = await self.http.in_flight.read(self.read.one(asker.tenant_id, request[USER]), self.http.timeout_s)
        view = view_for_admins if asker.role is Role.ADMIN else public_view
        return answer(200, SomebodyAnswer(view(user)))

    async def list_users(self, request: Request) -> Reply:
        """A page of those that are asked for."""
        tenant_id, cursor = request.asker.tenant_id, request[CURSOR]
        filters = Filters(request[TEXT], request[ROLE], request[IS_ACTIVE])
        scope = _scope(tenant_id, filters)
        before = None if cursor is None else _position(scope, cursor)
        reading = self.read.page(tenant_id, filters, before, request[LIMIT])
        page = await self.http.in_flight.read(reading, self.http.timeout_s)
        following = None if page.next is None else queries.to_cursor(scope, page.next)
        return answer(200, UsersAnswer([admin_view(user) for user in page.users], following))

    async def change_user(self, request: Request) -> Reply:
        """Change somebody."""
        body = request[USER_BODY]
        role = None if body.role is UNSET else body.role
        is_active = None if body.is_active is UNSET else body.is_active
        changing = self.change(request.asker.tenant_id, request[USER], role, is_active)
        return answer(200, AdminUserAnswer(admin_view(await finished(self.http, changing))))


def _scope(tenant_id: TenantId, filters: Filters) -> UserId:
    """What a cursor is good for, in the place of the one user of other cursors."""
    said = f"{tenant_id}\n{filters.role}\n{filters.is_active}\n{filters.text is None}\n{filters.text}"
    return UserId(UUID(bytes=blake2s(said.encode(), digest_size=16).digest()))


def _position(scope: UserId, cursor: str) -> queries.Position:
    try:
        return queries.position_of(scope, cursor)
    except Problem:
        why = "must be a next_cursor of an earlier answer with the same filters"
        raise validation({"cursor": why}) from None


_ONE = Success(
    status=200,
    description="The user, as the asker may see one.",
    type=SomebodyAnswer,
    example={"user": examples.PUBLIC},
)
_PAGE = Success(
    status=200,
    description="A page, newest first.",
    type=UsersAnswer,
    example={"users": [examples.ANYBODY], "next_cursor": None},
)
_CHANGED = Success(
    status=200,
    description="The user.",
    type=AdminUserAnswer,
    example={"user": {**examples.ANYBODY, "is_active": False}},
)
