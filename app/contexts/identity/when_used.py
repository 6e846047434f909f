"""What of identity weighs much, loaded by whoever uses it: signatures, sealing, and the hashes of passwords. A process
that only finds people, to show them or to tell what is theirs, goes without."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.contexts.identity.adapters.ethereum.contracts import ChainContracts
    from app.contexts.identity.adapters.ethereum.keys import WalletKeys
    from app.contexts.identity.adapters.jwt.access_tokens import JwtAccessTokens
    from app.contexts.identity.adapters.jwt.key_set import KeyRing
    from app.contexts.identity.adapters.jwt.known_tokens import KnownTokens
    from app.contexts.identity.adapters.passwords.pool import PasswordThreads
    from app.contexts.identity.adapters.sealing.successor import TokenSeal
    from app.contexts.identity.domain.access_token import AccessToken


def key_ring(path: Path) -> "KeyRing":
    """See `KeyRing`."""
    from app.contexts.identity.adapters.jwt.key_set import KeyRing

    return KeyRing(path)


def access_tokens(ring: "KeyRing", issuer: str, audience: str, access_ttl_s: float) -> "JwtAccessTokens":
    """See `JwtAccessTokens`."""
    from app.contexts.identity.adapters.jwt.access_tokens import JwtAccessTokens

    return JwtAccessTokens(ring, issuer, audience, access_ttl_s)


def known_tokens(tokens: "JwtAccessTokens") -> "KnownTokens":
    """See `KnownTokens`."""
    from app.contexts.identity.adapters.jwt.known_tokens import KnownTokens

    return KnownTokens(tokens)


class VerifierWhenUsed:
    """Looks at tokens by what is made for the first of them. It implements `Verifier`."""

    def __init__(self, tokens: "Callable[[], KnownTokens]") -> None:
        self._tokens = tokens

    def verify(self, token: str) -> "AccessToken":
        """See `Verifier.verify`."""
        return self._tokens().verify(token)


def token_seal() -> "TokenSeal":
    """See `TokenSeal`."""
    from app.contexts.identity.adapters.sealing.successor import TokenSeal

    return TokenSeal()


def wallet_keys() -> "WalletKeys":
    """See `WalletKeys`."""
    from app.contexts.identity.adapters.ethereum.keys import WalletKeys

    return WalletKeys()


def contracts(nodes: Mapping[str, str]) -> "ChainContracts":
    """See `make_contracts`."""
    from app.contexts.identity.adapters.ethereum.contracts import make_contracts

    return make_contracts(nodes)


def password_threads(threads: int) -> "PasswordThreads":
    """See `PasswordThreads`."""
    from app.contexts.identity.adapters.passwords.pool import PasswordThreads

    return PasswordThreads(threads)
