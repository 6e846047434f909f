"""Tokens taken apart and made, as whoever forges them does."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any, Final

import jwt

from app.contexts.identity.adapters.jwt.jwk import Key
from tests.identity.processes import Process

Claims = dict[str, Any]
Header = dict[str, Any]
LEFT_OUT: Final = object()


def parts(token: str) -> tuple[Header, Claims]:
    """What a token says."""
    header, claims = (json.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    return header, claims


def key_of(api: Process) -> Key:
    """What it signs with."""
    key: Key = api.container.ring().signing()
    return key


def signed(api: Process, claims: Mapping[str, Any], header: Mapping[str, Any] = {}, **other: Any) -> str:
    """A token that is signed with the real key, unless another is given."""
    key = key_of(api)
    headers = {"kid": key.id, "typ": "at+jwt", **header}
    kept = {name: value for name, value in claims.items() if value is not LEFT_OUT}
    chosen = {"key": key.signing, "algorithm": key.algorithm, **other}
    return jwt.encode(kept, headers={n: v for n, v in headers.items() if v is not LEFT_OUT}, **chosen)
