"""Forged tokens: other algorithms, other keys, other payloads, and what is no token at all."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tests.identity.processes import ME, Process, bearer, somebody
from tests.identity.tokens import Claims, key_of, parts, signed


@pytest.fixture(scope="module")
async def claims(api: Process) -> Claims:
    """What the token of somebody who has logged in says."""
    return parts((await api.registered(somebody()))["access_token"])[1]


def _pem(api: Process) -> bytes:
    return bytes(
        key_of(api).verifying.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _raw(api: Process) -> bytes:
    return bytes(key_of(api).verifying.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def _hmac(key: Callable[[Process], bytes]) -> Callable[[Process, Claims], str]:
    """Algorithm confusion: what everybody knows as the secret. By hand, as the library refuses to."""

    def forge(api: Process, claims: Claims) -> str:
        header = {"alg": "HS256", "typ": "at+jwt", "kid": key_of(api).id}
        text = ".".join(_encoded(json.dumps(each).encode()) for each in (header, claims))
        return f"{text}.{_encoded(hmac.digest(key(api), text.encode(), 'sha256'))}"

    return forge


def _none(spelled: str) -> Callable[[Process, Claims], str]:
    def forge(api: Process, claims: Claims) -> str:
        header = {"alg": spelled, "typ": "at+jwt", "kid": key_of(api).id}
        return ".".join([*(_encoded(json.dumps(each).encode()) for each in (header, claims)), ""])

    return forge


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _of_another_key(api: Process, claims: Claims) -> str:
    return signed(api, claims, key=ed25519.Ed25519PrivateKey.generate())


def _of_another_kind(api: Process, claims: Claims) -> str:
    return signed(api, claims, key=rsa.generate_private_key(65_537, 2_048), algorithm="RS256")


def _with_another_payload(api: Process, claims: Claims) -> str:
    head, _, signature = signed(api, claims).split(".")
    return f"{head}.{_encoded(json.dumps({**claims, 'role': 'admin'}).encode())}.{signature}"


def _with_another_signature(api: Process, claims: Claims) -> str:
    text, _, signature = signed(api, claims).rpartition(".")
    return f"{text}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def _without_a_signature(api: Process, claims: Claims) -> str:
    return f"{signed(api, claims).rpartition('.')[0]}."


FORGED: Mapping[str, Callable[[Process, Claims], str]] = {
    "none": _none("none"),
    "None": _none("None"),
    "no algorithm": _none(""),
    "HS256 with the public key": _hmac(_pem),
    "HS256 with its bytes": _hmac(_raw),
    "HS256 with nothing": _hmac(lambda _: b""),
    "another key": _of_another_key,
    "a key of another kind": _of_another_kind,
    "another payload": _with_another_payload,
    "another signature": _with_another_signature,
    "no signature": _without_a_signature,
    "two parts": lambda api, claims: signed(api, claims).rpartition(".")[0],
    "five parts": lambda api, claims: signed(api, claims) + ".x.y",
    "four parts": lambda api, claims: signed(api, claims).replace(".", "..", 1),
    "a filled signature": lambda api, claims: signed(api, claims) + "==",
    "a blank in its signature": lambda api, claims: signed(api, claims)[:-4] + " " + signed(api, claims)[-4:],
    "a signature of one character": lambda api, claims: signed(api, claims).rpartition(".")[0] + ".A",
    "nothing in its parts": lambda *_: "..",
    "no base64": lambda *_: "a~a.b~b.c~c",
    "a header that is no object": lambda *_: f"{_encoded(b'[]')}.e30.c2ln",
    "nested beyond reason": lambda *_: f"{_encoded(b'[' * 2_000)}.e30.c2ln",
    "longer than any of ours": lambda api, claims: signed(api, {**claims, "x": "y" * 5_000}),
}


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_token_is_refused(api: Process, claims: Claims, what: str) -> None:
    answer = await api.client().get(ME, headers=bearer(FORGED[what](api, claims)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == 'Bearer realm="strongbox", error="invalid_token"'
