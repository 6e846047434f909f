"""Keys that sign tokens, as JWK (RFC 7517): read from a set, made anew, and shown as far as everybody may see them.

Beside what the RFC has, a key may say from when on it signs (`nbf`) and until when it verifies (`exp`), both in seconds
of the epoch.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from jwt.algorithms import HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

AlgorithmName = Literal["RS256", "EdDSA", "HS256"]

RSA_BITS: Final = 2048
"""At the least, and those of a new key."""
HMAC_BYTES: Final = 32
"""The same of a key that signs and verifies."""

_ALGORITHMS: Final[Mapping[str, AlgorithmName]] = {"RSA": "RS256", "OKP": "EdDSA", "oct": "HS256"}

Jwk = dict[str, Any]


class InvalidKeys(Exception):  # noqa: N818 -- it says what they are
    """A set of keys that cannot be used; the message says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Key:
    """A key. `signing` is None where it only verifies; `public` is None where it is not for others to see."""

    id: str
    algorithm: AlgorithmName
    verifying: Any
    signing: Any
    public: Jwk | None
    signs_from_s: float = 0.0
    verifies_until_s: float | None = None

    def verifies(self, now_s: float) -> bool:
        """Whether tokens of it may still be about."""
        return self.verifies_until_s is None or now_s < self.verifies_until_s

    def signs(self, now_s: float) -> bool:
        """Whether it is in use."""
        return self.signing is not None and self.signs_from_s <= now_s and self.verifies(now_s)


class _Told(msgspec.Struct, frozen=True):
    """What a key says of itself, beside its numbers."""

    kty: Literal["RSA", "OKP", "oct"]
    kid: str
    alg: str | None = None
    use: Literal["sig"] | None = None
    crv: str | None = None
    nbf: float = 0.0
    exp: float | None = None


def key_of(jwk: Any, number: int) -> Key:
    """The key that a set has in that place.

    Raises:
        InvalidKeys: it is none, or too weak.
    """
    try:
        told = msgspec.convert(jwk, _Told, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidKeys(f"key {number}: {str(error)[0].lower()}{str(error)[1:]}") from None
    algorithm = _ALGORITHMS[told.kty]
    if told.alg not in (None, algorithm) or not told.kid or (told.kty == "OKP" and told.crv != "Ed25519"):
        raise InvalidKeys(
            f"key {number} has no `kid`, or is for another algorithm than RS256, EdDSA (Ed25519) or HS256"
        )
    try:
        verifying, signing, public = _READERS[algorithm](jwk)
    except InvalidKeys as error:
        raise InvalidKeys(f"key {number} {error}") from None
    except Exception:  # the libraries raise all kinds for numbers that are none
        raise InvalidKeys(f"key {number} cannot be read") from None
    return Key(
        id=told.kid,
        algorithm=algorithm,
        verifying=verifying,
        signing=signing,
        public=public and {**public, "kid": told.kid, "alg": algorithm, "use": "sig"},
        signs_from_s=told.nbf,
        verifies_until_s=told.exp,
    )


def new_jwk(algorithm: AlgorithmName) -> Jwk:
    """A new key, with all of it."""
    match algorithm:
        case "RS256":
            jwk = _shown(RSAAlgorithm.to_jwk(rsa.generate_private_key(65_537, RSA_BITS), as_dict=True))
        case "EdDSA":
            jwk = _shown(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True))
        case "HS256":
            octets = base64.urlsafe_b64encode(secrets.token_bytes(HMAC_BYTES)).rstrip(b"=").decode()
            jwk = {"kty": "oct", "k": octets}
    return {**jwk, "kid": secrets.token_urlsafe(12), "alg": algorithm, "use": "sig"}


def _rsa(jwk: Jwk) -> tuple[Any, Any, Jwk | None]:
    key = RSAAlgorithm.from_jwk(jwk)
    signing = key if isinstance(key, rsa.RSAPrivateKey) else None
    verifying = key.public_key() if isinstance(key, rsa.RSAPrivateKey) else key
    if verifying.key_size < RSA_BITS:
        raise InvalidKeys(f"has {verifying.key_size} bits: RSA needs {RSA_BITS} or more")
    return verifying, signing, _shown(RSAAlgorithm.to_jwk(verifying, as_dict=True))


def _okp(jwk: Jwk) -> tuple[Any, Any, Jwk | None]:
    key = OKPAlgorithm.from_jwk(jwk)
    signing = key if isinstance(key, ed25519.Ed25519PrivateKey) else None
    verifying = key.public_key() if isinstance(key, ed25519.Ed25519PrivateKey) else key
    return verifying, signing, _shown(OKPAlgorithm.to_jwk(verifying, as_dict=True))


def _oct(jwk: Jwk) -> tuple[Any, Any, Jwk | None]:
    key = HMACAlgorithm.from_jwk(jwk)
    if len(key) < HMAC_BYTES:
        raise InvalidKeys(f"has {len(key)} bytes: HS256 needs {HMAC_BYTES} or more")
    return key, key, None


_READERS: Final = {"RS256": _rsa, "EdDSA": _okp, "HS256": _oct}


def _shown(jwk: Any) -> Jwk:
    """Without what the library says of its use, which we say ourselves."""
    return {name: value for name, value in cast("Jwk", jwk).items() if name != "key_ops"}
