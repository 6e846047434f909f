"""JSON bodies, decoded strictly: what is not exactly right is refused, member by member."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, inspect

from app.platform.http.errors import Problem, validation
from app.platform.http.limits import MAX_BODY_BYTES

S = TypeVar("S", bound=Struct)

MAX_TOLD = 20
"""Members of which a refusal tells what is wrong with them."""

# How many quotes there are around a value, of those types of which that is always the same.
_QUOTES: Mapping[type, int] = {inspect.UUIDType: 2, inspect.StrType: 2, inspect.IntType: 0, inspect.BoolType: 0}
_WORDS = 2
"""Around one of several words."""
_NO_OBJECT = {"body": "must be one JSON object in UTF-8"}


class _Quotes(NamedTuple):
    """How many quotes there are in a body without backslashes: of what has to be there, and of each that may be."""

    required: int
    optional: Sequence[tuple[str, int]]
    lists: Sequence[tuple[str, "_Quotes"]]

    def of(self, body: Struct) -> int:
        """How many there are if each member of the body is there once."""
        return (
            self.required
            + sum([count for name, count in self.optional if getattr(body, name) is not UNSET])
            + sum([quotes.of(one) for name, quotes in self.lists for one in getattr(body, name)])
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """In a member's annotation: what it must be, in words, and what its type cannot say of it.

    Of a list of objects `each` says what every one of them is.
    """

    text: str
    fits: Callable[[Any], bool] | None = None
    each: "JsonBody[Any] | None" = None


class JsonBody(Generic[S]):
    """A body that is an object with the struct's members: no other, and none twice, and no more than so many bytes.
    `called` is what it is.

    Raises:
        TypeError: the struct takes unknown members, or one of its own has no Rule.
    """

    def __init__(
        self, type_: type[S], example: Mapping[str, Any], called: str = "this request",
        most_bytes: int = MAX_BODY_BYTES,
    ) -> None:  # fmt: skip
        if not type_.__struct_config__.forbid_unknown_fields:
            raise TypeError(f"{type_.__name__} takes members that nobody knows")
        fields = msgspec.structs.fields(type_)
        rules = _rules(type_)
        self.type = type_
        self.example = example
        self.most_bytes = most_bytes
        self._called = called
        self._types = {field.encode_name: field.type for field in fields}
        self._required = [field.encode_name for field in fields if field.required]
        self._rules = {field.encode_name: rules[field.name] for field in fields}
        self._checks = [(name, rule.fits) for name, rule in rules.items() if rule.fits]
        self._lists = [(name, rule.each) for name, rule in rules.items() if rule.each]
        self.quotes = _quotes(type_, dict(self._lists))
        self._decode = msgspec.json.Decoder(type_, strict=True).decode

    @property
    def members(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self._types)

    @property
    def is_required(self) -> bool:
        """Whether there has to be one: some member of it has."""
        return bool(self._required)

    def decode(self, raw: bytes) -> S:
        """Decode a body.

        Raises:
            Problem: it is malformed; the details say where and why.
        """
        try:
            raw.decode()  # msgspec looks only at the strings that it keeps
            body = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._explain(raw) from None
        if not self.fits(body):
            raise self._explain(raw)
        # Of a member that is there twice msgspec takes the last. Counting is how to see at once that there is none.
        if (self.quotes is None or b"\\" in raw or raw.count(b'"') != self.quotes.of(body)) and _repeats(raw):
            raise self._explain(raw)
        return body

    def fits(self, body: S) -> bool:
        """Whether it is what its types cannot say of it, and all that is in it."""
        return all(fits(getattr(body, name)) for name, fits in self._checks) and all(
            each.fits(one) for name, each in self._lists for one in getattr(body, name)
        )

    def _explain(self, raw: bytes) -> Problem:
        """The slow way, for bodies that are refused: every member that is wrong, and why."""
        try:
            pairs = _pairs(raw)
        except (ValueError, RecursionError):
            return validation(_NO_OBJECT)
        return validation(dict(list(self.wrong(pairs).items())[:MAX_TOLD]) or _NO_OBJECT)

    def wrong(self, pairs: "_Members") -> dict[str, str]:
        """Every member of the object that is wrong, and why."""
        names = Counter(name for name, _ in pairs)
        details = {name: "is required" for name in self._required if name not in names}
        for name, value in pairs:
            if name not in self._types:
                details[_printable(name)] = f"is not a member of {self._called}"
            elif names[name] > 1:
                details[name] = "must be there once, not several times"
            elif wrong := self._wrong_in(name, value):
                details |= wrong
            elif not self._accepts(name, value):
                details[name] = self._rules[name].text
        return details

    def _wrong_in(self, name: str, value: Any) -> dict[str, str]:
        """What is wrong with the objects of a list, each by its place, if the member is one."""
        each, wrong = self._rules[name].each, dict[str, str]()
        if each is None or not isinstance(value, list) or isinstance(value, _Members):
            return wrong
        for nth, one in enumerate(value):
            if not isinstance(one, _Members):
                wrong[f"{name}[{nth}]"] = "must be an object"
            else:
                wrong |= {f"{name}[{nth}].{member}": why for member, why in each.wrong(one).items()}
            if len(wrong) >= MAX_TOLD:
                break
        return wrong

    def _accepts(self, name: str, value: Any) -> bool:
        try:
            # Within an object that is a member, nothing is there twice either.
            found = msgspec.convert(_plain(value), self._types[name], strict=True)
        except (msgspec.ValidationError, ValueError, RecursionError):
            return False
        fits = self._rules[name].fits
        return fits is None or fits(found)


def _rules(type_: type[Struct]) -> Mapping[str, Rule]:
    found = {}
    for name, hint in get_type_hints(type_, include_extras=True).items():
        rules = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Rule)]
        if not rules:
            raise TypeError(f"{type_.__name__}.{name} has no Rule that could be told")
        found[name] = rules[-1]
    return found


def _quotes(type_: type[Struct], lists: Mapping[str, "JsonBody[Any]"]) -> _Quotes | None:
    """How many quotes there are, if what is there tells. A default other than UNSET may have been sent, or not."""
    required, optional, of_lists = 0, [], []
    for field in inspect.type_info(type_).fields:  # type: ignore[attr-defined] # a struct's
        around = _around(_bare(field.type))
        if field.name in lists and field.required and (inner := lists[field.name].quotes) is not None:
            of_lists.append((field.name, inner))
            around = 0
        if around is None or field.default is not NODEFAULT or field.default_factory is not NODEFAULT:
            return None
        if field.required:
            required += 2 + around
        else:
            optional.append((field.name, 2 + around))
    return _Quotes(required, optional, of_lists)


def _around(type_: inspect.Type) -> int | None:
    if isinstance(type_, inspect.LiteralType):
        return _WORDS if all(isinstance(value, str) for value in type_.values) else None
    return _QUOTES.get(type(type_))


def _bare(type_: inspect.Type) -> inspect.Type:
    return type_.type if isinstance(type_, inspect.Metadata) else type_


class _Members(list[tuple[str, Any]]):
    """An object's members. Not a dict, so that repeated ones are seen; not a plain list, so that it is no array."""


def _pairs(raw: bytes) -> _Members:
    """The members of the object, repeated ones included.

    Raises:
        ValueError: it is not a JSON object, or holds what JSON does not know.
        RecursionError: it is nested beyond all reason.
    """
    parsed = json.loads(raw.decode(), object_pairs_hook=_Members, parse_constant=_refuse)
    if not isinstance(parsed, _Members):
        raise ValueError("not an object")
    return parsed


def _repeats(raw: bytes) -> bool:
    """Whether any object of the body, which is well-formed, has a member twice."""
    try:
        _plain(_pairs(raw))
    except (ValueError, RecursionError):
        return True
    return False


def _plain(value: Any) -> Any:
    """The value with dicts for objects.

    Raises:
        ValueError: one of them has a member twice.
    """
    if isinstance(value, _Members):
        plain = {name: _plain(member) for name, member in value}
        if len(plain) != len(value):
            raise ValueError("a member is there twice")
        return plain
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _printable(name: str) -> str:
    """A member's name as far as it is safe to send it back."""
    return name[:64].encode("ascii", "backslashreplace").decode()
