"""Hashes of passwords: argon2id here, and bcrypt from elsewhere until its owner logs in."""

import re
from typing import Final

import argon2
import bcrypt
from argon2.exceptions import InvalidHashError, VerificationError

from app.contexts.identity.domain.passwords import as_set, as_tried

HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""What new hashes cost: 19 MiB, twice over."""

BCRYPT_READS: Final = 72
"""Bytes of a password; what is behind them never counted."""

_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")
_ARGON2ID = re.compile(
    r"\$argon2id\$v=19\$m=(?P<memory>[1-9][0-9]{0,5}),t=(?P<time>[1-9][0-9]?),p=(?P<lanes>[1-9][0-9]?)"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
_MOST_MEMORY_KIB: Final = 256 * 1024
_MOST_TIMES: Final = 16
_MOST_LANES: Final = 16


def is_known(hash: str) -> bool:
    """Whether a password can be held against it, at a price that a log-in may have."""
    if _BCRYPT.fullmatch(hash):
        return True
    found = _ARGON2ID.fullmatch(hash)
    return (
        found is not None
        and int(found["memory"]) <= _MOST_MEMORY_KIB
        and int(found["time"]) <= _MOST_TIMES
        and int(found["lanes"]) <= _MOST_LANES
        and int(found["memory"]) >= 8 * int(found["lanes"])
    )


def make(password: str) -> str:
    """The hash of a password that may be one."""
    return HASHER.hash(as_set(password))


def fits(hash: str, password: str) -> bool:
    """Whether it is the password's hash. A hash that is none of those that are known fits nothing."""
    check = _fits_bcrypt if _BCRYPT.fullmatch(hash) else _fits_argon2
    found = [check(hash, tried) for tried in as_tried(password)]  # each is tried: the time says nothing of which fits
    return any(found)


def is_old(hash: str) -> bool:
    """Whether a new one is to be made as soon as its password is known."""
    return not hash.startswith("$argon2id$") or HASHER.check_needs_rehash(hash)


def _fits_bcrypt(hash: str, tried: bytes) -> bool:
    return bcrypt.checkpw(tried[:BCRYPT_READS], hash.encode("ascii"))


def _fits_argon2(hash: str, tried: bytes) -> bool:
    try:
        return HASHER.verify(hash, tried)
    except (VerificationError, InvalidHashError):
        return False
