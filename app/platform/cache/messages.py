"""What processes tell one another of deletions."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.platform.cache.in_process import InProcess, Place
from app.platform.process.redis_urls import RedisPlace

CHANNEL: Final = "strongbox:cache:told"


def channel(place: RedisPlace) -> str:
    """Where it is told. The database's number is in it: a server tells all of its databases the same."""
    return f"{CHANNEL}:{place.database}"


class Deleted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has been deleted: places, and all of a tenant's keys that match one of the patterns."""

    places: tuple[tuple[str, str], ...] = ()
    """Tenants' numbers, which are larger than numbers may be here, in hexadecimal digits; and keys."""
    tenant: str = ""
    patterns: tuple[str, ...] = ()


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Deleted).decode


def of_places(places: Sequence[Place]) -> bytes:
    """The message that these were deleted."""
    return _encode(Deleted(places=tuple((f"{tenant:x}", key) for tenant, key in places)))


def of_patterns(tenant: int, patterns: Sequence[str]) -> bytes:
    """The message that all of a tenant's were deleted that match."""
    return _encode(Deleted(tenant=f"{tenant:x}", patterns=tuple(patterns)))


def heed(message: bytes, level1: InProcess) -> None:
    """Forget what a message tells of; everything, where it cannot be read: a newer release's, perhaps."""
    try:
        deleted = _decode(message)
        places = [(int(tenant, 16), key) for tenant, key in deleted.places]
        tenant = int(deleted.tenant or "0", 16)
    except ValueError:  # every msgspec error is one
        level1.clear()
        return
    level1.forget(places)
    if deleted.patterns:
        level1.forget_matching(tenant, deleted.patterns)
