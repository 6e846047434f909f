"""What requests for payments and refunds of `/v1` say in their path and query."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.contexts.payments.adapters.http.body import (
    KEY_PATTERN,
    LINE_RULE,
    MAX_LINE,
    MAX_VALUE,
    MOST_NOTES,
    is_note,
)
from app.contexts.payments.domain.ids import PaymentId, ProviderId, RefundId
from app.contexts.payments.domain.payment import Status
from app.kernel.ids import UserId
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid
from app.platform.http.shapes import PLAIN_TEXT, TIME_RULE, is_plain, time_of

_STATUSES: Final = [status.value for status in Status]
_KEY: Final = re.compile(KEY_PATTERN)


def _status(text: str | None) -> Status | None:
    if text is not None and text not in _STATUSES:
        raise validation({"status": f"must be one of {', '.join(_STATUSES)}"})
    return None if text is None else Status(text)


def _reference(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text) <= MAX_LINE and is_plain(text)):
        raise validation({"reference": LINE_RULE})
    return text


def _time(name: str, text: str | None) -> datetime | None:
    at = None if text is None else time_of(text)
    if text is not None and at is None:
        raise validation({name: TIME_RULE})
    return at


def _notes(given: Mapping[str, str]) -> Mapping[str, str]:
    if len(given) > MOST_NOTES:
        raise validation({"metadata": f"must be {MOST_NOTES} at most, as many as can be noted"})
    for key, value in given.items():
        if not _KEY.fullmatch(key):
            shown = key[:64].encode("ascii", "backslashreplace").decode()
            raise validation({f"metadata.{shown}": "is no key that anything could be noted under"})
        if not is_note(value):
            raise validation({f"metadata.{key}": f"must have at most {MAX_VALUE} characters, none of control"})
    return given


PAYMENT_ID: Parameter[PaymentId] = Parameter(
    name="id",
    key="payment",
    where="path",
    read=lambda text: PaymentId(read_uuid("id", text)),
    required=True,
    description="The payment, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42",
)
REFUND_ID: Parameter[RefundId] = Parameter(
    name="id",
    key="refund",
    where="path",
    read=lambda text: RefundId(read_uuid("id", text)),
    required=True,
    description="The refund, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example="0193a5b2-7c4e-7d19-8afb-607182930415",
)
STATUS: Parameter[Status | None] = Parameter(
    name="status",
    key="payment_status",
    where="query",
    read=_status,
    description="Only those that stand so.",
    schema={"type": "string", "enum": _STATUSES},
    example="APPROVED",
)
REFERENCE: Parameter[str | None] = Parameter(
    name="reference",
    key="payment_reference",
    where="query",
    read=_reference,
    description="Only those with this external reference.",
    schema={"type": "string", "minLength": 1, "maxLength": MAX_LINE, "pattern": PLAIN_TEXT},
    example="invoice 2026-0131",
)
PROVIDER: Parameter[ProviderId | None] = Parameter(
    name="provider_id",
    key="paid_provider",
    where="query",
    read=lambda text: None if text is None else ProviderId(read_uuid("provider_id", text)),
    description="Only those to this provider.",
    schema={"type": "string", "format": "uuid"},
    example="2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60",
)
PAYER: Parameter[UserId | None] = Parameter(
    name="user_id",
    key="payer",
    where="query",
    read=lambda text: None if text is None else UserId(read_uuid("user_id", text)),
    description="Only those out of this user's wallets.",
    schema={"type": "string", "format": "uuid"},
    example="6f0d5c1e-8a3b-4f39-9a52-0c1b7e2d4a10",
)
FROM: Parameter[datetime | None] = Parameter(
    name="from",
    key="payments_from",
    where="query",
    read=lambda text: _time("from", text),
    description="Only those that were made then or later. RFC 3339.",
    schema={"type": "string", "format": "date-time"},
    example="2026-01-31T00:00:00Z",
)
TO: Parameter[datetime | None] = Parameter(
    name="to",
    key="payments_to",
    where="query",
    read=lambda text: _time("to", text),
    description="Only those that were made earlier. RFC 3339.",
    schema={"type": "string", "format": "date-time"},
    example="2026-02-01T00:00:00Z",
)
METADATA: Parameter[Mapping[str, str]] = Parameter(
    name="metadata",
    key="payment_metadata",
    where="query",
    read=_notes,
    description="Only those with this noted: `metadata.KEY=VALUE`, any number of them.",
    schema={
        "type": "object",
        "propertyNames": {"pattern": f"^metadata\\.{KEY_PATTERN}$"},
        "additionalProperties": {"type": "string", "maxLength": MAX_VALUE, "pattern": PLAIN_TEXT},
        "maxProperties": MOST_NOTES,
    },
    example={"metadata.order": "2026-0131"},
    is_prefix=True,
)
