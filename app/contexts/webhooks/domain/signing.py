"""Signatures of the Standard Webhooks specification, 1.0."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
BOTH_SIGN_FOR: Final = timedelta(hours=24)
"""How long the secret before still signs beside a new one."""


def shown(secret: bytes) -> str:
    """The secret as its owner gets it."""
    return PREFIX + base64.b64encode(secret).decode("ascii")


def signature(secrets: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature`: one for each secret, the newest first, over the bytes that are sent."""
    signed = b".".join((event_id.encode("ascii"), str(timestamp).encode("ascii"), body))
    macs = (hmac.digest(secret, signed, hashlib.sha256) for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(mac).decode('ascii')}" for mac in macs)
