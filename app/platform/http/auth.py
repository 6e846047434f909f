"""API keys, compared in constant time."""

from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest

from app.platform.http.codes import UNAUTHORIZED
from app.platform.http.errors import Problem
from app.platform.http.headers import Head


class ApiKeys:
    """The keys that open the wallets. Without any, nothing does."""

    def __init__(self, keys: Iterable[str]) -> None:
        # Digests are of one length, so the comparison tells nothing of a key's.
        self._digests = [sha256(key.encode()).digest() for key in keys]

    def check(self, head: Head) -> None:
        """See to it that the request carries one of the keys, once.

        Raises:
            Problem: it does not.
        """
        given = head.one(b"x-api-key")
        digest = sha256(given or b"").digest()
        # Every key is compared, whichever fits, so that the time says nothing about which.
        fitting = sum(compare_digest(digest, known) for known in self._digests)
        if not given or not fitting:
            raise Problem(UNAUTHORIZED, headers={"WWW-Authenticate": 'ApiKey realm="strongbox"'})
