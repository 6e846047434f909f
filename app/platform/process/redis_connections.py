"""A connection to a Redis as this service wants one: nothing is sent twice, and nothing is waited for without end."""

from typing import Any

from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.platform.process.redis_urls import RedisPlace

RedisConnection = Connection | UnixDomainSocketConnection


def connection(place: RedisPlace, silence_s: float, *, is_watched: bool = False) -> RedisConnection:
    """One that is not open yet; what takes longer than `silence_s` fails. One that is watched is left to whoever sees
    to it himself that nothing is waited for without end: the library has a timer, and a task, for each thing that it
    does.
    """
    # The library sends no command again: it does not know which of them count. RESP2, as that takes no greeting.
    common: dict[str, Any] = {
        "db": place.database,
        "username": place.username,
        "password": place.password,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": None if is_watched else silence_s,
        "socket_connect_timeout": silence_s,
        "driver_info": None,
    }
    if place.path:
        return UnixDomainSocketConnection(path=place.path, **common)
    common |= {"host": place.host, "port": place.port, "socket_keepalive": True}
    return (
        SSLConnection(ssl_cert_reqs="required", ssl_check_hostname=True, **common)
        if place.has_tls
        else Connection(**common)
    )
