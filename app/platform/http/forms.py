"""A body that is a form or JSON, whatever its client likes better, for the one protocol that asks for forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from app.platform.http.errors import Problem, validation
from app.platform.http.json_body import JsonBody

S = TypeVar("S", bound=Struct)

MAX_FIELDS = 32
_NO_FORM = {"body": "must be a form of names and values, or one JSON object, in UTF-8"}


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came instead of the body: what is wrong with it, by member."""

    details: Mapping[str, str]


class FormOrJsonBody(Generic[S]):
    """A body of `application/x-www-form-urlencoded`, or of JSON with the same members, which are texts.

    What is malformed is a value too, as the protocol has refusals of its own. In a form, as RFC 6749 (3.2) has it, a
    name without a value is left out, one that nobody knows counts for nothing, and none is there twice.

    Raises:
        TypeError: as JsonBody.
    """

    def __init__(self, type_: type[S], example: Mapping[str, Any], called: str = "this request") -> None:
        self.type = type_
        self.example = example
        self._json = JsonBody(type_, example, called)
        self.most_bytes = self._json.most_bytes

    @property
    def members(self) -> tuple[str, ...]:
        """Their names."""
        return self._json.members

    @property
    def is_required(self) -> bool:
        """Whether there has to be one."""
        return self._json.is_required

    def decode(self, raw: bytes, *, is_form: bool) -> S | Malformed:
        """Decode a body, or say what is wrong with it."""
        try:
            return self._json.decode(msgspec.json.encode(self._fields(raw)) if is_form else raw)
        except Problem as problem:
            return Malformed(problem.details)
        except ValueError:
            return Malformed(_NO_FORM)

    def _fields(self, raw: bytes) -> Mapping[str, str]:
        """The form's fields that are known.

        Raises:
            ValueError: it is no form.
            Problem: a field is there twice.
        """
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
        found: dict[str, str] = {}
        for name, value in pairs:
            if name not in self.members:
                continue
            if name in found:
                raise validation({name: "must be there once, not several times"})
            found[name] = value
        return {name: value for name, value in found.items() if value}
