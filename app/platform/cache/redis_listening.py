"""Channels of a Redis, listened to on a connection of their own."""

from contextlib import suppress

from app.platform.cache.subscription import Listening
from app.platform.process.redis_connections import connection
from app.platform.process.redis_urls import RedisPlace

SILENCE_S = 5.0
"""Whoever listens gives up before."""


class RedisListening(Listening):
    """Not connected before it subscribes. Any exception of redis-py's may come out, and those of the system."""

    def __init__(self, place: RedisPlace) -> None:
        self._connection = connection(place, SILENCE_S)

    async def subscribe(self, *channels: str) -> None:
        """From now on what is said on the channels is heard."""
        await self._connection.connect()  # type: ignore[no-untyped-call]
        await self._connection.send_command("SUBSCRIBE", *channels)
        for _ in channels:
            await self._connection.read_response()

    async def hear(self) -> tuple[str, bytes]:
        """The next message: its channel, and what it says."""
        _, channel, message = await self._connection.read_response()
        return channel.decode(), message

    async def close(self) -> None:
        """Hang up."""
        with suppress(Exception):  # there is nobody to tell
            await self._connection.disconnect(nowait=True)
