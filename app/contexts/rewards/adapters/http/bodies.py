"""What is said of purchases, of refunds, and of rules."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.contexts.rewards.adapters.http.examples import USER
from app.contexts.rewards.domain.tokens import MOST
from app.kernel.currencies import is_well_formed
from app.kernel.money import MAX_MINOR, Currency
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import (
    CURRENCY_RULE,
    PLAIN_TEXT,
    TIME_RULE,
    Amount,
    Code,
    Moment,
    is_plain,
    time_of,
)

MAX_LINE: Final = 140

_UNITS: Final = re.compile("0|[1-9][0-9]{0,77}")
_LINE_RULE: Final = f"must be a string of 1 to {MAX_LINE} characters, none of them a control character"

Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_LINE,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]
Units = Annotated[
    str,
    Meta(
        max_length=78,
        description="Whole base units of the token, at most 2^256-1.",
        pattern="^(0|[1-9][0-9]{0,77})$",
    ),
]
BasisPoints = Annotated[int, Meta(ge=1, le=10_000, description="Hundredths of a percent.")]


def _plain(text: Any) -> bool:
    return not isinstance(text, str) or is_plain(text)


def _is_time(given: Any) -> bool:
    return not isinstance(given, str) or time_of(given) is not None


def _is_amount(given: Any) -> bool:
    return not isinstance(given, str) or (_UNITS.fullmatch(given) is not None and int(given) <= MOST)


def _fits(given: Any) -> bool:
    return not isinstance(given, int) or given <= MAX_MINOR


_AMOUNT: Final = Rule(f"must be an integer between 1 and {MAX_MINOR}", _fits)
_TEXT: Final = Rule(_LINE_RULE, _plain)
_TIME: Final = Rule(TIME_RULE, _is_time)
_BASIS_POINTS: Final = Rule("must be an integer between 1 and 10000")
_CAP: Final = Rule("must be whole base units as a string of digits, at most 2^256-1", _is_amount)
_BOOLEAN: Final = Rule("must be true or false")


class PurchaseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody has bought. Once for each merchant and reference."""

    user_id: Annotated[UUID, Rule("must be a UUID")]
    merchant: Annotated[Line, _TEXT]
    external_reference: Annotated[Line, _TEXT]
    amount: Amount
    currency: Code
    category: Annotated[Line | None, _TEXT] = None


class RefundBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What of it was given back, or all that is left. Once for each reference."""

    reference: Annotated[Line, _TEXT]
    amount: Annotated[Amount | UnsetType, _AMOUNT] = UNSET


class RuleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule. Null is as good as nothing: any category, any merchant, without a beginning, an end, a cap."""

    basis_points: Annotated[BasisPoints, _BASIS_POINTS]
    currency: Code
    category: Annotated[Line | None, _TEXT] = None
    merchant: Annotated[Line | None, _TEXT] = None
    from_: Annotated[Moment | None, _TIME] = field(default=None, name="from")
    until: Annotated[Moment | None, _TIME] = None
    cap_per_user_month: Annotated[Units | None, _CAP] = None
    min_amount: Annotated[Amount | None, _AMOUNT] = None
    is_active: Annotated[bool | None, _BOOLEAN] = None

    @property
    def said(self) -> Mapping[str, Any]:
        """All of it, by the names of a rule's members."""
        return _said(self) | {"is_active": self.is_active is not False}


class ChangeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a rule is to be something else. Null takes away what was said before."""

    basis_points: Annotated[BasisPoints | UnsetType, _BASIS_POINTS] = UNSET
    currency: Annotated[Code | UnsetType, Rule(CURRENCY_RULE, lambda code: code is UNSET or is_well_formed(code))] = (
        UNSET
    )
    category: Annotated[Line | UnsetType | None, _TEXT] = UNSET
    merchant: Annotated[Line | UnsetType | None, _TEXT] = UNSET
    from_: Annotated[Moment | UnsetType | None, _TIME] = field(default=UNSET, name="from")
    until: Annotated[Moment | UnsetType | None, _TIME] = UNSET
    cap_per_user_month: Annotated[Units | UnsetType | None, _CAP] = UNSET
    min_amount: Annotated[Amount | UnsetType | None, _AMOUNT] = UNSET
    is_active: Annotated[bool | UnsetType, _BOOLEAN] = UNSET

    @property
    def said(self) -> Mapping[str, Any]:
        """What is said, by the names of a rule's members."""
        return _said(self)


_READ: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "basis_points": ("basis_points", int),
    "currency": ("currency", Currency),
    "category": ("category", str),
    "merchant": ("merchant", str),
    "from_": ("starts_at", time_of),
    "until": ("ends_at", time_of),
    "cap_per_user_month": ("cap", int),
    "min_amount": ("min_amount", int),
    "is_active": ("is_active", bool),
}


def _said(body: RuleBody | ChangeBody) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in _READ}
    return {
        _READ[name][0]: None if value is None else _READ[name][1](value)
        for name, value in given.items()
        if value is not UNSET
    }


PURCHASE_BODY: Final = JsonBody(
    PurchaseBody,
    {
        "user_id": USER, "merchant": "lamps.example", "category": "lamps",
        "external_reference": "till 4, receipt 2026-0131", "amount": 2500, "currency": "USD",
    },
    "a purchase",
)  # fmt: skip
REFUND_BODY: Final = JsonBody(RefundBody, {"amount": 1250, "reference": "return 2026-0207"}, "a refund")
RULE_BODY: Final = JsonBody(
    RuleBody,
    {
        "basis_points": 100, "currency": "USD", "category": "lamps", "from": "2026-01-01T00:00:00Z",
        "cap_per_user_month": "5000000", "min_amount": 1000,
    },
    "a rule",
)  # fmt: skip
CHANGE_BODY: Final = JsonBody(ChangeBody, {"basis_points": 150, "until": None}, "what can be changed")
