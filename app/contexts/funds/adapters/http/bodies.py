"""What sending and paying in are asked with."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.shapes import PLAIN_TEXT, Amount, Code, is_plain

MAX_NOTE: Final = 140
MAX_RECIPIENT: Final = 64
"""The longest spelling of a UUID, a username or an address is shorter."""

Line = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NOTE,
        description="No control characters and no line separators.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]


class SendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much to send to whom. The note is for the recipient, and for the sender's own history."""

    to: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_RECIPIENT,
            description="A user's id, username or wallet address.",
            extra_json_schema={"pattern": PLAIN_TEXT},
        ),
        Rule(f"must be a user's id, username or wallet address, of 1 to {MAX_RECIPIENT} characters", is_plain),
    ]
    amount: Amount
    currency: Code
    note: Annotated[
        Line | UnsetType,
        Rule(
            f"must be a string of 1 to {MAX_NOTE} characters, none of them a control character",
            lambda note: note is UNSET or is_plain(note),
        ),
    ] = UNSET

    def normal(self) -> "SendBody":
        """The same request: an id in another spelling is the same id."""
        try:
            return msgspec.structs.replace(self, to=str(msgspec.convert(self.to, UUID)))
        except msgspec.ValidationError:
            return self


class ReceiveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much came in for whom. A reference pays in once for each user and currency."""

    user_id: Annotated[UUID, Rule("must be a UUID")]
    amount: Amount
    currency: Code
    reference: Annotated[
        Line, Rule(f"must be a string of 1 to {MAX_NOTE} characters, none of them a control character", is_plain)
    ]


ALICE: Final = "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10"
BOB: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
"""The users of the examples."""

SEND_BODY: Final = JsonBody(
    SendBody, {"to": "bob", "amount": 1250, "currency": "USD", "note": "for the concert"}, "a request to send"
)
RECEIVE_BODY: Final = JsonBody(
    ReceiveBody,
    {"user_id": BOB, "amount": 5000, "currency": "USD", "reference": "bank transfer 2026-0131"},
    "a request to pay in",
)
"""Of a currency they look at the form; whether it is known is not said here."""
