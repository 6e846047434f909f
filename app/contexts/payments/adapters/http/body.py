"""The payment request's body, and the fingerprint by which another under the same key is told apart."""

from hashlib import sha256
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import PLAIN_TEXT, Amount, Code, is_plain

MAX_REFERENCE = 140


class PaymentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What to pay to whom. The reference is the caller's own."""

    provider_id: Annotated[UUID, Rule("must be a UUID")]
    external_reference: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_REFERENCE,
            description="No control characters and no line separators.",
            extra_json_schema={"pattern": PLAIN_TEXT},
        ),
        Rule(f"must be a string of 1 to {MAX_REFERENCE} characters, none of them a control character", is_plain),
    ]
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
