"""A new key for JWT_KEYS: it is published before it signs, and the one before verifies until its last token ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from app.contexts.identity.adapters.jwt.jwk import AlgorithmName, InvalidKeys, Jwk, key_of, new_jwk
from app.contexts.identity.adapters.jwt.key_set import jwks_of, parse, read
from app.contexts.identity.domain.lives import MACHINE_TTL_S
from app.platform.process.secret_files import write_privately

CLOCK_ERROR_S: Final = 60
"""By how much the clocks of those who sign and those who verify may differ."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """The new key, and when it begins to sign, in seconds of the epoch."""

    key_id: str
    algorithm: AlgorithmName
    signs_from_s: int


def rotate(path: Path, algorithm: AlgorithmName, access_ttl_s: float, now_s: float) -> Rotated:
    """Put a new key into the file, which is replaced as a whole; where there is none it is made, and the key signs at
    once. Keys that verify nothing any more are taken out.

    Raises:
        InvalidKeys: what is there cannot be used, or the file cannot be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):
            before = _before(path, now_s)
            waits = any(key_of(jwk, number).signs(now_s) for number, jwk in enumerate(before, start=1))
            signs_from_s = int(now_s + access_ttl_s) + 1 if waits else int(now_s)
            new = {**new_jwk(algorithm), "nbf": signs_from_s}
            ends_s = int(signs_from_s + max(access_ttl_s, MACHINE_TTL_S)) + CLOCK_ERROR_S
            kept = [jwk if "exp" in jwk else {**jwk, "exp": ends_s} for jwk in before]
            _write(path, [*kept, new])
    except OSError as error:
        raise InvalidKeys(f"{path} cannot be written: {error.strerror}") from None
    return Rotated(new["kid"], algorithm, signs_from_s)


def make(path: Path, algorithm: AlgorithmName, now_s: float) -> None:
    """Make the file with a first key, unless it is there.

    Raises:
        InvalidKeys: it cannot be written.
    """
    if not path.exists():
        rotate(path, algorithm, 0.0, now_s)


def _before(path: Path, now_s: float) -> list[Jwk]:
    """The keys of the file that verify something."""
    if not path.exists():
        return []
    text = read(path)
    keys = parse(text).keys
    return [jwk for jwk in jwks_of(text) if keys[jwk["kid"]].verifies(now_s)]


def _write(path: Path, jwks: list[Jwk]) -> None:
    owner = path.stat() if path.exists() else None
    write_privately(path, msgspec.json.format(msgspec.json.encode({"keys": jwks})).decode() + "\n")
    if owner and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)  # it stays readable to those whose it was


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One rotation in a folder at a time: of two at once one key would be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
