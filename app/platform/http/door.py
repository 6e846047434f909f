"""The front door: what all that people, machines and browsers ask for goes through, in the order of the contract.

After the route: how often the address asks; who asks; from which page; whether they may; how often they do. What comes
behind the door, the body first, is much the same as everywhere.
"""

import hmac
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final
from uuid import UUID

from litestar.types import HTTPScope
from structlog.contextvars import bind_contextvars

from app.kernel.principal import Principal
from app.platform.http.challenges import forbidden, not_let_in
from app.platform.http.credentials import check_one, credential_of
from app.platform.http.operations import ANYONE, BEARER, LIMITED, MAYBE_BEARER, SAFE, Access, Operation
from app.platform.http.origins import Origins
from app.platform.http.request import Request
from app.platform.http.services import HttpOptions, Services
from app.platform.http.visitor import Visitors
from app.platform.limits.ports import IP, USER, WALLET
from app.platform.people import NotLetIn, People

LETTING_IN: Final = "/v1/auth/"
"""Below it a cookie that is no good is none: whoever wants to be let in anew still has it."""

Admit = Callable[[HTTPScope, Request], Awaitable[None]]
"""Lets the request of an operation pass, and notes who asks. Raises a Problem when it may not."""


class Door:
    """Lets requests in, operation by operation."""

    def __init__(self, services: Services, options: HttpOptions) -> None:
        self._people = services.people
        self._cookie = services.people.cookie.encode() if services.people else b""
        self._limits = services.limits
        key = options.log_hash_key.encode()

        def name_of(id_: UUID) -> str:
            return hmac.digest(key, str(id_).encode(), "sha256").hex()

        # A tenth of what the door costs, and those who ask ask again.
        self._name_of = lru_cache(maxsize=16_384)(name_of)
        self._visitors = Visitors(options.trusted_proxies, options.forwarded_header)
        self.origins = Origins(options.cors_origins)

    def admission(self, operation: Operation) -> Admit | None:
        """How requests of the operation are let in, if the door stands before it."""
        if not operation.is_behind_the_door:
            return None
        is_limited = self._limits is not None and operation.template.startswith(LIMITED)
        is_unsafe = operation.method not in SAFE

        async def admit(scope: HTTPScope, request: Request) -> None:
            request.visitor = visitor = self._visitors.of(scope, request.head)
            request.limits = self._limits
            if is_limited:
                await request.take(IP, visitor.address)
            by_cookie = await self._let_in(operation, request)
            if operation.is_log_in or (by_cookie and is_unsafe):
                self.origins.check(request.head, visitor.authority)
            if operation.who == BEARER and not _may(request.asker, operation.access):
                raise forbidden(operation.access)
            if is_limited:
                await _limit(operation, request)

        return admit

    async def _let_in(self, operation: Operation, request: Request) -> bool:
        """Note who asks, and whose people it is about; say whether a browser's cookie let in."""
        people = self._people
        if people is None:  # nobody's operations ask for any
            return False
        if operation.who == ANYONE:
            check_one(request.head)
            by_cookie = False
        else:
            by_cookie = await self._know(people, operation, request)
        if request.principal is None:
            request.tenant_id = await people.authenticator.tenant_of(request.visitor.host)
        return by_cookie

    async def _know(self, people: People, operation: Operation, request: Request) -> bool:
        """Note who asks, if somebody is let in; say whether by a browser's cookie."""
        head = request.head
        try:
            credential = credential_of(head, self._cookie, request.visitor.host)
            if credential is None:
                if operation.who == BEARER:
                    raise not_let_in()
                return False
            principal = await people.authenticator.authenticate(credential)
        except NotLetIn:
            may_be_none = operation.who == MAYBE_BEARER and operation.template.startswith(LETTING_IN)
            if not may_be_none or b"authorization" in head.first:
                raise not_let_in(was_shown=True) from None
            return False
        request.principal, request.credential = principal, credential
        request.tenant_id = principal.tenant_id
        bind_contextvars(user_hash=self._name_of(principal.id))
        return credential.is_cookie


async def _limit(operation: Operation, request: Request) -> None:
    """Take what the operation takes beside the address's: of the user, of wallets, of log-ins."""
    principal = request.principal
    if principal:
        await request.take(USER, str(principal.id))
    if "wallet" in operation.buckets:
        await request.take(WALLET, str(request.asker.id))
    if "login" in operation.buckets:
        await request.take_log_in()


def _may(principal: Principal, access: Access) -> bool:
    return bool(access.scopes & principal.scopes) if principal.role is None else principal.role in access.roles
