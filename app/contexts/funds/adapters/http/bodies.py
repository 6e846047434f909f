"""What sending, sending to several and paying in are asked with."""

from typing import Annotated, Final, Literal
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


Person = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_RECIPIENT,
        description="A user's id, username or wallet address.",
        extra_json_schema={"pattern": PLAIN_TEXT},
    ),
]


def normal_id(text: str) -> str:
    """The id in the usual spelling, if the text is one."""
    try:
        return str(msgspec.convert(text, UUID))
    except msgspec.ValidationError:
        return text


class SendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much to send to whom. The note is for the recipient, and for the sender's own history."""

    to: Annotated[
        Person,
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
        return msgspec.structs.replace(self, to=normal_id(self.to))


class ReceiveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much came in for whom. A reference pays in once for each user and currency."""

    user_id: Annotated[UUID, Rule("must be a UUID")]
    amount: Amount
    currency: Code
    reference: Annotated[
        Line, Rule(f"must be a string of 1 to {MAX_NOTE} characters, none of them a control character", is_plain)
    ]


SEND_BODY: Final = JsonBody(
    SendBody, {"to": "bob", "amount": 1250, "currency": "USD", "note": "for the concert"}, "a request to send"
)

MOST_PAYOUTS: Final = 1_000
MOST_BULK_BYTES: Final = 256 * 1024

_SENDER = (
    f"must be a user's id, username or wallet address, of 1 to {MAX_RECIPIENT} characters, where a machine asks; users "
    "send from their own wallet"
)


class BulkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How much to send to whom, several times."""

    transfers: Annotated[
        list[SendBody],
        Meta(min_length=1, max_length=MOST_PAYOUTS),
        Rule(f"must be a list of 1 to {MOST_PAYOUTS} transfers", each=SEND_BODY),
    ]
    mode: Annotated[
        Literal["all", "each"],
        Meta(description="`all`: every transfer or none. `each`: in their order, a refusal does not stop the next."),
        Rule("must be all or each"),
    ]
    sender: Annotated[
        Annotated[Person, Meta(description="From whose wallet, where a machine asks.")] | UnsetType,
        Rule(_SENDER, lambda sender: sender is UNSET or is_plain(sender)),
    ] = msgspec.field(default=UNSET, name="from")

    def normal(self) -> "BulkBody":
        """The same request: an id in another spelling is the same id."""
        sender = self.sender if self.sender is UNSET else normal_id(self.sender)
        return msgspec.structs.replace(self, transfers=[one.normal() for one in self.transfers], sender=sender)


BULK_BODY: Final = JsonBody(
    BulkBody,
    {
        "transfers": [
            {"to": "bob", "amount": 1250, "currency": "USD", "note": "January"},
            {"to": "carol", "amount": 2100, "currency": "USD"},
        ],
        "mode": "all",
    },
    "a request to send to several",
    MOST_BULK_BYTES,
)

ALICE: Final = "6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10"
BOB: Final = "0193a5b2-7c4e-7d12-9c3d-6f5e4d3c2b1a"
"""The users of the examples."""

RECEIVE_BODY: Final = JsonBody(
    ReceiveBody,
    {"user_id": BOB, "amount": 5000, "currency": "USD", "reference": "bank transfer 2026-0131"},
    "a request to pay in",
)
"""Of a currency they look at the form; whether it is known is not said here."""
