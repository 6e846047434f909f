"""The payment request's body, decoded strictly: what is not exactly right is refused, member by member."""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.adapters.http.errors import Problem, validation
from app.adapters.http.queries import CURRENCY_RULE
from app.adapters.shapes import Amount, Code
from app.domain.currencies import is_well_formed
from app.domain.ids import ProviderId
from app.domain.money import MAX_MINOR, Currency, Money

MAX_REFERENCE = 140

# Control characters of both ranges, the two separators that break lines as they do, and halves of surrogate pairs. A
# pattern's `$` would let a last newline pass: here the search is for what is forbidden.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ALLOWED = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$"


class PaymentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What to pay to whom. The reference is the caller's own."""

    provider_id: UUID
    external_reference: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_REFERENCE,
            description="No control characters and no line separators.",
            extra_json_schema={"pattern": _ALLOWED},
        ),
    ]
    amount: Amount
    currency: Code


RULES = {
    "provider_id": "must be a UUID",
    "external_reference": f"must be a string of 1 to {MAX_REFERENCE} characters, none of them a control character",
    "amount": f"must be an integer between 1 and {MAX_MINOR}",
    "currency": CURRENCY_RULE,
}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(PaymentBody)}
# Each of the four members has two quotes around its name, and three have two around their value.
_QUOTES = 14


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A well-formed request to pay, with the fingerprint by which another under the same key is told apart."""

    provider_id: ProviderId
    external_reference: str
    money: Money
    fingerprint: bytes


class PaymentDecoder:
    """Decodes bodies. A currency needs the right form; whether it is known is not said here."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(PaymentBody, strict=True).decode

    def __call__(self, raw: bytes) -> PaymentOrder:
        """Decode a body.

        Raises:
            Problem: it is malformed; the details say where and why.
        """
        try:
            raw.decode()  # msgspec looks only at the strings that it keeps
            body = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise self._explain(raw) from None
        if not self._is_fine(body) or self._repeats(raw):
            raise self._explain(raw)
        return PaymentOrder(
            ProviderId(body.provider_id),
            body.external_reference,
            Money(body.amount, Currency(body.currency)),
            fingerprint(body),
        )

    def _is_fine(self, body: PaymentBody) -> bool:
        return (
            body.amount <= MAX_MINOR
            and is_well_formed(body.currency)
            and not _FORBIDDEN.search(body.external_reference)
        )

    def _repeats(self, raw: bytes) -> bool:
        """Whether a member is there twice, of which msgspec takes the last."""
        if b"\\" not in raw:
            return raw.count(b'"') != _QUOTES
        return len(_pairs(raw)) != len(_TYPES)

    def _explain(self, raw: bytes) -> Problem:
        """The slow way, for bodies that are refused: every member that is wrong, and why."""
        try:
            pairs = _pairs(raw)
        except (ValueError, RecursionError):
            return validation({"body": "must be one JSON object in UTF-8"})
        names = [name for name, _ in pairs]
        details = {name: "is required" for name in _TYPES if name not in names}
        for name, value in pairs:
            if name not in _TYPES:
                details[_printable(name)] = "is not a member of a payment request"
            elif names.count(name) > 1:
                details[name] = "must be there once, not several times"
            elif not self._accepts(name, value):
                details[name] = RULES[name]
        return validation(dict(list(details.items())[:20]) or {"body": "must be one JSON object in UTF-8"})

    def _accepts(self, name: str, value: Any) -> bool:
        try:
            msgspec.convert(value, _TYPES[name], strict=True)
        except (msgspec.ValidationError, UnicodeError):
            return False
        match name:
            case "amount":
                return bool(value <= MAX_MINOR)
            case "currency":
                return is_well_formed(value)
            case "external_reference":
                return not _FORBIDDEN.search(value)
            case _:
                return True


def fingerprint(body: PaymentBody) -> bytes:
    """SHA-256 of the decoded request: spelling, order and white space of the JSON do not matter.

    The reference stands last, and the members before it cannot contain what parts them: no two requests look alike.
    """
    head = f"1\n{body.provider_id.hex}\n{body.amount}\n{body.currency}\n"
    return sha256((head + body.external_reference).encode()).digest()


def _pairs(raw: bytes) -> list[tuple[str, Any]]:
    """The members of the object, repeated ones included.

    Raises:
        ValueError: it is not a JSON object, or holds what JSON does not know.
        RecursionError: it is nested beyond all reason.
    """
    parsed = json.loads(raw.decode(), object_pairs_hook=_Members, parse_constant=_refuse)
    if not isinstance(parsed, _Members):
        raise ValueError("not an object")
    return list(parsed)


class _Members(list[tuple[str, Any]]):
    """An object's members. Not a dict, so that repeated ones are seen; not a plain list, so that it is no array."""


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _printable(name: str) -> str:
    """A member's name as far as it is safe to send it back."""
    return name[:64].encode("ascii", "backslashreplace").decode()
