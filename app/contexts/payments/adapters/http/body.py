"""The bodies of requests to pay and to refund, and the fingerprint by which another under a key is told apart."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from app.kernel.money import MAX_MINOR
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import PLAIN_TEXT, Amount, Code, is_plain

MAX_LINE = 140
LINE_RULE = f"must be a string of 1 to {MAX_LINE} characters, none of them a control character"
Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_LINE,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]
MOST_NOTES = 20
MAX_VALUE = 500
KEY_PATTERN = "[A-Za-z0-9_.-]{1,40}"

_KEY = re.compile(KEY_PATTERN)


def is_note(value: str) -> bool:
    """Whether it can be noted with a payment."""
    return len(value) <= MAX_VALUE and is_plain(value)


def _are_notes(given: Mapping[str, str] | UnsetType) -> bool:
    if given is UNSET:
        return True
    return len(given) <= MOST_NOTES and all(_KEY.fullmatch(key) and is_note(value) for key, value in given.items())


class PaymentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What to pay to whom. The reference is the caller's own."""

    provider_id: Annotated[UUID, Rule("must be a UUID")]
    external_reference: Annotated[Line, Rule(LINE_RULE, is_plain)]
    amount: Amount
    currency: Code


PAYMENT_BODY = JsonBody(
    PaymentBody,
    {
        "provider_id": "2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60",
        "external_reference": "invoice 2026-0131",
        "amount": 1250,
        "currency": "USD",
    },
    "a payment request",
)
"""Of a currency it looks at the form; whether it is known is not said here."""


def fingerprint(body: PaymentBody) -> bytes:
    """SHA-256 of the decoded request: spelling, order and white space of the JSON do not matter.

    The reference stands last, and the members before it cannot contain what parts them: no two requests look alike.
    """
    head = f"1\n{body.provider_id.hex}\n{body.amount}\n{body.currency}\n"
    return sha256((head + body.external_reference).encode()).digest()


Notes = Annotated[
    dict[str, str],
    Meta(
        description="What to note with it. Keys of letters, digits, `_`, `.` and `-`, no control characters.",
        extra_json_schema={
            "maxProperties": MOST_NOTES,
            "propertyNames": {"pattern": f"^{KEY_PATTERN}$"},
            "additionalProperties": {"type": "string", "maxLength": MAX_VALUE, "pattern": PLAIN_TEXT},
        },
    ),
]


class V1PaymentBody(PaymentBody, frozen=True, forbid_unknown_fields=True):
    """What to pay to whom, and out of whose wallet: a machine says it, a user may pay out of their own alone."""

    user_id: Annotated[UUID | UnsetType, Rule("must be a UUID")] = UNSET
    metadata: Annotated[
        Notes | UnsetType,
        Rule(
            f"must be an object of at most {MOST_NOTES} strings of at most {MAX_VALUE} characters, none of control, by "
            f"keys of 1 to 40 of A-Z a-z 0-9 _ . -",
            _are_notes,
        ),
    ] = UNSET

    def normal(self) -> "V1PaymentBody":
        """The same request: in whatever order things are noted, it is the same one."""
        if self.metadata is UNSET:
            return self
        return structs.replace(self, metadata=dict(sorted(self.metadata.items())))


class RefundBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much to give back of a payment: without an amount all that is left of it."""

    amount: Annotated[
        Amount | UnsetType,
        Rule(f"must be an integer between 1 and {MAX_MINOR}", lambda amount: amount is UNSET or amount <= MAX_MINOR),
    ] = UNSET
    reason: Annotated[
        Line | UnsetType,
        Rule(LINE_RULE, lambda reason: reason is UNSET or is_plain(reason)),
    ] = UNSET


NOTED: Mapping[str, Any] = {"order": "2026-0131"}
"""What is noted in the examples."""

V1_PAYMENT_BODY = JsonBody(V1PaymentBody, {**PAYMENT_BODY.example, "metadata": NOTED}, "a payment request")
REFUND_BODY = JsonBody(RefundBody, {"amount": 250, "reason": "one of them was broken"}, "a request to refund")
