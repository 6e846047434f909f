"""Tokens that were verified a moment ago: a signature is looked at once, not with every request that shows it."""

from hashlib import sha256
from typing import Final

from app.contexts.identity.adapters.jwt.access_tokens import JwtAccessTokens
from app.contexts.identity.adapters.jwt.key_set import KeySet
from app.contexts.identity.domain.access_token import AccessToken

MOST: Final = 20_000


class KnownTokens:
    """Remembers genuine tokens, by their hashes, as long as the keys stay the same. It implements `Verifier`."""

    def __init__(self, tokens: JwtAccessTokens, most: int = MOST) -> None:
        self._tokens = tokens
        self._most = most
        self._keys: KeySet | None = None
        self._known: dict[bytes, AccessToken] = {}

    def verify(self, token: str) -> AccessToken:
        """See `Verifier.verify`."""
        if (keys := self._tokens.ring.keys) is not self._keys:
            self._keys = keys
            self._known.clear()
        digest = sha256(token.encode()).digest()
        if known := self._known.get(digest):
            return known
        self._known[digest] = genuine = self._tokens.verify(token)
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return genuine
