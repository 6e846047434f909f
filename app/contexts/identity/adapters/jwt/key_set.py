"""The keys of JWT_KEYS: a file with a JWK set that is its owner's alone, read again soon after it was changed."""

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from app.contexts.identity.adapters.jwt.jwk import InvalidKeys, Jwk, Key, key_of
from app.kernel.errors import Unavailable
from app.platform.process.secret_files import is_for_us_alone
from app.platform.process.settings import InvalidSettings

LOOK_EVERY_S: Final = 0.5
"""How often it is looked whether the file was changed."""
MOST_BYTES: Final = 1024 * 1024

_Stamp = tuple[int, ...]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """Keys by their id."""

    keys: Mapping[str, Key]

    def signing(self, now_s: float) -> Key | None:
        """The key that signs: of those in use the newest."""
        return max(
            (key for key in self.keys.values() if key.signs(now_s)), key=lambda key: key.signs_from_s, default=None
        )

    def public(self, now_s: float) -> list[Jwk]:
        """What others verify by, those that do not sign yet among them."""
        return [key.public for key in self.keys.values() if key.public is not None and key.verifies(now_s)]


def parse(text: bytes) -> KeySet:
    """The keys of a set.

    Raises:
        InvalidKeys: it is none, or one of its keys is unfit.
    """
    keys = [key_of(jwk, number) for number, jwk in enumerate(jwks_of(text), start=1)]
    by_id = {key.id: key for key in keys}
    if len(by_id) < len(keys):
        raise InvalidKeys("two of its keys have the same `kid`")
    return KeySet(by_id)


def jwks_of(text: bytes) -> Sequence[Any]:
    """What is in the set's list of keys.

    Raises:
        InvalidKeys: it is no set.
    """
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidKeys("it is no JSON") from None
    jwks = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(jwks, list):
        raise InvalidKeys('it is no JWK set: {"keys": [...]}')
    return jwks


def read(path: Path) -> bytes:
    """What is in the file.

    Raises:
        InvalidKeys: it cannot be read, or by others too.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InvalidKeys(f"{path} is no file")
            if not is_for_us_alone(status):
                raise InvalidKeys(f"{path} may be read by others than its owner: its mode has to be 0600")
            return file.read(MOST_BYTES)
    except OSError as error:
        raise InvalidKeys(f"{path} cannot be read: {error.strerror}") from None


class KeyRing:
    """The keys as the file has them. What it has become that cannot be used leaves the ones before in use.

    It is read when it is first asked for something, which raises InvalidKeys if it cannot be used.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._clock, self._ticks = path, clock, ticks
        self._seen: _Stamp | None = None
        self._looked_at = ticks()
        self._keys: KeySet | None = None

    @property
    def keys(self) -> KeySet:
        """Those of half a second ago at the oldest."""
        now = self._ticks()
        if self._keys is None:
            self._looked_at, self._seen = now, _stamp(self._path)
            self._keys = self._read()
        elif now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._keys = self._renewed(self._keys)
        return self._keys

    def signing(self) -> Key:
        """The key to sign with now.

        Raises:
            Unavailable: the last one has come to its end, and there is no other yet.
        """
        key = self.keys.signing(self._clock())
        if key is None:
            raise Unavailable("no key of JWT_KEYS signs any more")
        return key

    def public(self) -> list[Jwk]:
        """What others verify by."""
        return self.keys.public(self._clock())

    def verifying(self, key_id: str) -> Key | None:
        """The key of that id, if it still verifies."""
        key = self.keys.keys.get(key_id)
        return key if key is not None and key.verifies(self._clock()) else None

    def _read(self) -> KeySet:
        keys = parse(read(self._path))
        if keys.signing(self._clock()) is None:
            raise InvalidKeys("none of its keys signs now")
        return keys

    def _renewed(self, keys: KeySet) -> KeySet:
        """The keys of now, in place of these."""
        stamp = _stamp(self._path)
        if stamp == self._seen:
            return keys
        self._seen = stamp
        try:
            keys = self._read()
        except InvalidKeys as error:
            _log.warning("keys_kept", setting="JWT_KEYS", reason=str(error))
        else:
            _log.info("keys_read", keys=len(keys.keys))
        return keys


def check_keys(ring: KeyRing) -> None:
    """See to it that the keys can be used.

    Raises:
        InvalidSettings: they cannot.
    """
    try:
        _ = ring.keys
    except InvalidKeys as error:
        raise InvalidSettings(f"JWT_KEYS: {error}") from None


def _stamp(path: Path) -> _Stamp | None:
    """What is another after every change of the file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
