"""What the service sends to one's endpoint: whether it is from there, and what it says (Standard Webhooks 1.0)."""

import binascii
import hashlib
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from strongbox_client.calls import UNREADABLE
from strongbox_client.errors import StrongboxError
from strongbox_client.values import decoded

TOLERANCE_S: Final = 300
"""So far the clocks may be apart, or the message have been on its way."""
MOST_DIGITS: Final = 12
"""Of a time in seconds: it is good for another 30,000 years."""
_PREFIX: Final = "whsec_"
_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class WebhookRefused(StrongboxError):
    """It is not from the service, or not from just now: answer 400, and do nothing."""


class Event(Struct, frozen=True):
    """An event of the service's (CloudEvents 1.0). The same `id` may come again: what it brings about happens once.

    `sequence` orders the events of a `subject`, which may come in another order.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: Any
    sequence: int | str | None = None
    dataschema: str | None = None


def verify_webhook(
    secrets: str | Iterable[str], headers: Mapping[str, str], body: bytes | str, *, now: float | None = None
) -> Event:
    """The event that a request to one's endpoint brings, if the service has sent it.

    Args:
        secrets: the endpoint's secret (`whsec_…`), or those that are good while it is changed.
        headers: the request's, in any spelling.
        body: its body, the bytes as they came.
        now: the time as a Unix timestamp; the clock's unless given.

    Raises:
        WebhookRefused: nobody who knows a secret has signed this within five minutes from now.
        ValueError: a secret is none.
    """
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, timestamp, signatures = sent[_ID], sent[_TIMESTAMP], sent[_SIGNATURE]
    except KeyError as missing:
        raise WebhookRefused(f"there is no {missing.args[0]}") from None
    content = body.encode() if isinstance(body, str) else body
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= MOST_DIGITS):
        raise WebhookRefused(f"{_TIMESTAMP} is no time")
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_S:
        raise WebhookRefused(f"{_TIMESTAMP} is too far from now")
    if not _is_signed(keys, signatures.split(" "), b".".join((event_id.encode(), timestamp.encode(), content))):
        raise WebhookRefused(f"{_SIGNATURE} is by none of the secrets")
    try:
        return decoded(content, Event)
    except UNREADABLE as error:
        raise WebhookRefused(f"it is no event: {error}") from None


def _is_signed(keys: Iterable[bytes], signatures: Iterable[str], signed: bytes) -> bool:
    """Whether one of the signatures is by one of the keys. All are compared, whichever fits: the time tells nothing."""
    expected = [b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    given = [each.removeprefix("v1,").encode() for each in signatures if each.startswith("v1,")]
    return sum(hmac.compare_digest(one, other) for one in expected for other in given) > 0


def _key(secret: str) -> bytes:
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("a webhook's secret is whsec_ and base64")
    return key
