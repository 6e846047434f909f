"""Who is logged in: sessions in this process's memory, and a limit on guessing."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Final

IDLE_S: Final = 30 * 60.0
"""A session ends when nobody has clicked for so long; a page that keeps itself up to date is no click."""
ABSOLUTE_S: Final = 12 * 3600.0
"""A session ends then in any case."""
MOST: Final = 1_000
"""Sessions, and addresses whose guesses are remembered: beyond it the oldest go."""
GUESSES: Final = 5
"""Wrong keys that an address may send within `GUESSES_S`."""
GUESSES_S: Final = 60.0


@dataclass(slots=True)
class Session:
    """An operator who is logged in. `token` proves that a form was made for this session."""

    operator: str
    token: str
    began: float
    used: float


class Sessions:
    """The sessions. The secrets that browsers hold are kept as digests only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._by_digest: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, operator: str) -> str:
        """A new session for the operator; the secret for its cookie."""
        secret, now = token_urlsafe(32), self._now()
        self._by_digest[_digest(secret)] = Session(operator, token_urlsafe(32), now, now)
        if len(self._by_digest) > MOST:
            self._by_digest.popitem(last=False)
        return secret

    def find(self, secret: str, *, clicked: bool) -> Session | None:
        """The session of the secret, if it has not ended. `clicked`: somebody is there."""
        digest, now = _digest(secret), self._now()
        session = self._by_digest.get(digest)
        if session is None:
            return None
        if now - session.used > IDLE_S or now - session.began > ABSOLUTE_S:
            del self._by_digest[digest]
            return None
        if clicked:
            session.used = now
        return session

    def end(self, secret: str) -> None:
        """End the session of the secret."""
        self._by_digest.pop(_digest(secret), None)


class Operators:
    """The operators' keys, compared in constant time; an address that guesses has to wait."""

    def __init__(self, keys: Mapping[str, str], now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._digests = {name: _digest(key) for name, key in keys.items()}
        self._guesses: OrderedDict[str, list[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """How long the address has to wait before a key from it is looked at; 0 when it has not."""
        recent = self._recent(address)
        return GUESSES_S - (self._now() - recent[0]) if len(recent) >= GUESSES else 0.0

    def holder(self, key: str, address: str) -> str | None:
        """Whose key it is; None, and a guess noted, when it is nobody's."""
        given = _digest(key)
        # Every key is compared, whichever fits, so that the time says nothing about which.
        fitting = [name for name, digest in self._digests.items() if compare_digest(given, digest)]
        if fitting:
            return fitting[0]
        self._guesses[address] = [*self._recent(address), self._now()]
        self._guesses.move_to_end(address)
        if len(self._guesses) > MOST:
            self._guesses.popitem(last=False)
        return None

    def _recent(self, address: str) -> list[float]:
        return [at for at in self._guesses.get(address, ()) if self._now() - at < GUESSES_S]


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
