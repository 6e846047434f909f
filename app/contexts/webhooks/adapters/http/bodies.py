"""What is said of webhooks, and of what is to be sent again."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.contexts.webhooks.adapters.http.examples import AT
from app.contexts.webhooks.domain.endpoint import MOST_TYPES, TYPE_PATTERN, Status, is_a_type
from app.contexts.webhooks.domain.url import MOST
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import PLAIN_TEXT, TIME_RULE, Moment, is_plain, time_of

MAX_LINE: Final = 140

Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MOST,
        description="`https`, without user info and fragment; its host at public addresses.",
        extra_json_schema={"format": "uri"},
    ),
]
Types = Annotated[
    list[Annotated[str, Meta(pattern=TYPE_PATTERN)]],
    Meta(min_length=1, max_length=MOST_TYPES, description="`payment.completed`, `order.*`, or `*` for all."),
]
Line = Annotated[
    str,
    Meta(
        max_length=MAX_LINE,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]


def _are_types(given: Any) -> bool:
    return not isinstance(given, list) or all(map(is_a_type, given))  # whose `$` lets no line end pass


def _plain(given: Any) -> bool:
    return not isinstance(given, str) or is_plain(given)


def _is_time(given: Any) -> bool:
    return not isinstance(given, str) or time_of(given) is not None


_URL: Final = Rule(f"must be a string of 1 to {MOST} characters")
_TYPES: Final = Rule(f"must be a list of 1 to {MOST_TYPES} types, such as payment.completed, order.* or *", _are_types)
_TEXT: Final = Rule(f"must be a string of at most {MAX_LINE} characters, none of them a control character", _plain)
_STATUS: Final = Rule("must be ACTIVE or DISABLED")
_TIME: Final = Rule(TIME_RULE, _is_time)


class WebhookBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are sent to, and which."""

    url: Annotated[Url, _URL]
    types: Annotated[Types, _TYPES]
    description: Annotated[Line | None, _TEXT] = None


class ChangeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a webhook is to be something else."""

    url: Annotated[Url | UnsetType, _URL] = UNSET
    types: Annotated[Types | UnsetType, _TYPES] = UNSET
    description: Annotated[Line | UnsetType | None, _TEXT] = UNSET
    status: Annotated[Literal["ACTIVE", "DISABLED"] | UnsetType, _STATUS] = UNSET

    @property
    def said(self) -> Mapping[str, Any]:
        """What is said, by the names of an endpoint's members."""
        read = {"types": tuple, "status": Status}
        given = {name: getattr(self, name) for name in ("url", "types", "description", "status")}
        return {name: read.get(name, _same)(value) for name, value in given.items() if value is not UNSET}


class ReplayBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which events are to be sent again: those that happened from one time until before the other."""

    from_: Annotated[Moment, _TIME] = field(name="from")
    to: Annotated[Moment, _TIME]


def _same(value: Any) -> Any:
    return value


WEBHOOK_BODY: Final = JsonBody(
    WebhookBody,
    {
        "url": "https://shop.example/hooks/strongbox", "types": ["payment.completed", "order.*"],
        "description": "The shop's bookkeeping",
    },
    "a webhook",
)  # fmt: skip
CHANGE_BODY: Final = JsonBody(ChangeBody, {"types": ["*"], "status": "ACTIVE"}, "what can be changed")
REPLAY_BODY: Final = JsonBody(ReplayBody, {"from": "2026-01-31T00:00:00Z", "to": AT}, "a replay")
