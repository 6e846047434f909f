"""POST /internal/cache/invalidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.kernel.principal import Role
from app.platform.cache.ports import Cache
from app.platform.context import Http
from app.platform.http import codes
from app.platform.http.errors import validation
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import BEARER, Access, Operation, Request, Success
from app.platform.http.replies import Reply
from app.platform.http.shapes import PLAIN_TEXT, is_plain

SCOPE: Final = "cache:invalidate"
MOST_KEYS: Final = 100
MOST_PATTERNS: Final = 10
LONGEST: Final = 256

_Text = Annotated[str, Meta(min_length=1, max_length=LONGEST, extra_json_schema={"pattern": PLAIN_TEXT})]
_EITHER: Final = "there has to be keys or patterns, and not both"


def _are_plain(texts: Sequence[str] | UnsetType) -> bool:
    return texts is UNSET or all(map(is_plain, texts))


def _rule(most: int) -> Rule:
    return Rule(
        f"must be a list of 1 to {most} texts of 1 to {LONGEST} characters, none a control character", _are_plain
    )


class InvalidateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What the cache has to forget of the tenant."""

    keys: Annotated[
        Annotated[list[_Text], Meta(min_length=1, max_length=MOST_KEYS, description="As `product:<id>`.")] | UnsetType,
        _rule(MOST_KEYS),
    ] = UNSET
    patterns: Annotated[
        Annotated[
            list[_Text],
            Meta(min_length=1, max_length=MOST_PATTERNS, description="Only `*` is special: any characters, or none."),
        ]
        | UnsetType,
        _rule(MOST_PATTERNS),
    ] = UNSET


class Invalidated(Struct, frozen=True):
    """How much that was."""

    deleted: Annotated[int, Meta(ge=0, description="Keys that were removed from Redis.")]


INVALIDATE_BODY: Final = JsonBody(InvalidateBody, {"patterns": ["products:*"]}, "a request to invalidate")
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Invalidating:
    """The handler, with what it needs."""

    cache: Cache
    http: Http

    def operations(self) -> Sequence[Operation]:
        """What HTTP offers."""
        done = Success(status=200, description="Forgotten, everywhere.", type=Invalidated, example={"deleted": 12})
        return [
            Operation(
                method="POST",
                template="/internal/cache/invalidate",
                name="invalidateCache",
                tag="system",
                summary="Have the cache forget keys of the tenant",
                description=f"For admins, and machines with the scope `{SCOPE}`. Nothing has to be forgotten for what "
                "is changed through this API to be seen.",
                who=BEARER,
                access=Access(frozenset({Role.ADMIN}), SCOPE),
                handler=self.invalidate,
                body=INVALIDATE_BODY,
                successes=(done,),
                refusals=(codes.UNAVAILABLE,),
            )
        ]

    async def invalidate(self, request: Request) -> Reply:
        """Forget it."""
        body, tenant_id = request[INVALIDATE_BODY], request.asker.tenant_id
        if (body.keys is UNSET) == (body.patterns is UNSET):
            raise validation({"keys": _EITHER, "patterns": _EITHER})
        if body.keys is not UNSET:
            work = self.cache.delete_counted(tenant_id, {*body.keys})
        else:
            assert body.patterns is not UNSET
            work = self.cache.delete_matching(tenant_id, {*body.patterns})
        return Reply(200, _encode(Invalidated(await self.http.in_flight.read(work, self.http.timeout_s))))
