"""Parameters of lists of products."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.contexts.catalog.adapters.http import cursors, examples
from app.contexts.catalog.application.browse import Sort
from app.contexts.catalog.domain.product import Condition
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.kernel.writing import MOST_OF_A_SLUG, SLUG_PATTERN, SLUG_RULE, line, slug
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

MOST_OF_A_SEARCH: Final = 200

_PRICE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SORTS: Final = (Sort.NEWEST, Sort.CHEAPEST, Sort.DEAREST)


def _given(name: str, why: str, read: Callable[[str], T | None]) -> Callable[[str | None], T | None]:
    """Reads what may be left out; what `read` makes nothing of is malformed."""

    def reading(text: str | None) -> T | None:
        if text is None:
            return None
        value = read(text)
        if value is None:
            raise validation({name: why})
        return value

    return reading


def _one_of(values: tuple[E, ...]) -> Callable[[str], E | None]:
    by_text = {value.value: value for value in values}
    return by_text.get


def _listed(
    name: str, description: str, read: Callable[[str | None], Any], schema: Any, example: Any
) -> Parameter[Any]:
    return Parameter(
        name=name,
        key=f"products_{name}",
        where="query",
        read=read,
        description=description,
        schema=schema,
        example=example,
    )


def _flag(name: str, description: str) -> Parameter[bool | None]:
    read = _given(name, "must be true or false", {"true": True, "false": False}.get)
    return _listed(name, description, read, {"type": "boolean"}, example=True)


def _price(name: str, description: str) -> Parameter[int | None]:
    def read(text: str) -> int | None:
        return int(text) if _PRICE.fullmatch(text) and int(text) <= MAX_MINOR else None

    why = f"must be an integer between 0 and {MAX_MINOR}"
    schema = {"type": "integer", "minimum": 0, "maximum": MAX_MINOR}
    return _listed(name, description, _given(name, why, read), schema, example=1000)


def _read_seller(text: str | None) -> UserId | None:
    return None if text is None else UserId(read_uuid("seller", text))


TEXT: Parameter[str | None] = _listed(
    "q",
    "Only those whose title or description fits, in the syntax of a web search: words that all have to be there, "
    '`"a phrase"`, `or`, and `-without`.',
    _given(
        "q",
        f"must be 1 to {MOST_OF_A_SEARCH} characters, none of them a control character",
        lambda text: line(text, MOST_OF_A_SEARCH),
    ),
    {"type": "string", "minLength": 1, "maxLength": MOST_OF_A_SEARCH},
    "bicycle -electric",
)
CATEGORY: Parameter[str | None] = _listed(
    "category",
    "Only those in the category with this slug, or in one below it.",
    _given("category", SLUG_RULE, slug),
    {"type": "string", "pattern": SLUG_PATTERN, "maxLength": MOST_OF_A_SLUG},
    "bicycles",
)
SELLER: Parameter[UserId | None] = _listed(
    "seller",
    "Only those of this user. Of one's own, those that are not active, too.",
    _read_seller,
    {"type": "string", "format": "uuid"},
    examples.SELLER_ID,
)
CONDITION: Parameter[Condition | None] = _listed(
    "condition",
    "Only those in this condition.",
    _given("condition", f"must be one of {', '.join(Condition)}", _one_of(tuple(Condition))),
    {"type": "string", "enum": [each.value for each in Condition]},
    "good",
)
MIN_PRICE = _price("min_price", "Only those that cost at least this, in minor units of the currency.")
MAX_PRICE = _price("max_price", "Only those that cost at most this, in minor units of the currency.")
FEATURED = _flag("featured", "Only those that are featured, or that are not.")
IN_STOCK = _flag("in_stock", "Only those of which there is one to be had, or of which there is none.")
RECOMMENDED = _flag(
    "recommended", "What others bought who bought what one has bought last, else the newest that are featured."
)
SORT: Parameter[Sort | None] = _listed(
    "sort",
    "The newest first, or by price, which takes a currency. Left out, with `q`: what fits best first.",
    _given("sort", f"must be one of {', '.join(_SORTS)}", _one_of(_SORTS)),
    {"type": "string", "enum": [each.value for each in _SORTS]},
    "newest",
)
CURSOR: Parameter[str | None] = _listed(
    "cursor",
    "The `next_cursor` of an earlier answer to the same request: with the same filters, in the same order.",
    lambda text: text,  # it belongs to all of them, and is read with them
    {"type": "string", "pattern": cursors.PATTERN},
    None,
)
