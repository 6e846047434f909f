"""Channels to the adapter."""

from pathlib import Path
from typing import Final

import grpc

from app.contexts.chain.settings import Endpoint
from app.platform.process.settings import InvalidSettings

_OPTIONS: Final = (
    # A call that was sent is sent again by nobody but us.
    ("grpc.enable_retries", 0),
    # An adapter that begins anew is found within a second or two, not after minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # One whose machine is gone is noticed, though nothing closes the connection.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
)


def channel_to(endpoint: Endpoint, authority: str) -> grpc.aio.Channel:
    """A channel, which connects when it is used. `authority` is the file of those that certificates are believed of;
    none: the world's.

    Raises:
        InvalidSettings: that cannot be read.
    """
    if not endpoint.is_tls:
        return grpc.aio.insecure_channel(endpoint.target, options=_OPTIONS)
    try:
        roots = Path(authority).read_bytes() if authority else None
    except OSError as error:
        raise InvalidSettings(f"CHAIN_TLS_CA: {authority} cannot be read: {error.strerror}") from None
    return grpc.aio.secure_channel(endpoint.target, grpc.ssl_channel_credentials(roots), options=_OPTIONS)
