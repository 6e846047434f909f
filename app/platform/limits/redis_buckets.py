"""The buckets in Redis, over one connection: what is asked, and nothing about when."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import AuthenticationError, ConnectionError, InvalidResponse, NoPermissionError, NoScriptError  # noqa: A004

from app.platform.limits.script import SCRIPT, SHA1, Ask, words
from app.platform.process.redis_connections import RedisConnection, connection
from app.platform.process.redis_urls import RedisPlace

SILENCE_S = 5.0
"""Whoever asks waits for less; nothing waits longer."""


class RedisBuckets:
    """All processes' buckets. One exchange at a time, and after one that failed a connection of its own for the next.

    Any exception of redis-py's may come out of it, and those of the operating system.
    """

    def __init__(self, place: RedisPlace) -> None:
        self._place = place
        self._connection: RedisConnection | None = None
        self._alone = asyncio.Lock()

    async def ask(self, asks: Sequence[Ask]) -> Sequence[int]:
        """For each in how many microseconds there is a token; 0 where it was let through, or given back."""
        async with self._alone:
            was_there = self._connection is not None
            try:
                return await self._exchange(asks)
            except AuthenticationError:
                raise
            except ConnectionError:
                # One that was idle may have been closed by the other side. A token that was taken by an exchange whose
                # answer was lost is taken twice then: never does more pass than may.
                if not was_there:
                    raise
                return await self._exchange(asks)

    async def info(self) -> Mapping[str, str]:
        """What the server says of itself; nothing where this login may not ask."""
        async with self._alone:
            try:
                await self._connect()
                said: bytes = await self._say("INFO")
            except NoPermissionError:
                return {}
            except BaseException:
                await self.close()
                raise
        pairs = (line.partition(":") for line in said.decode("utf-8", "replace").splitlines())
        return {name: value for name, _, value in pairs if value}

    async def close(self) -> None:
        """Hang up; the next exchange connects anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # there is nobody to tell
                await connection.disconnect(nowait=True)

    async def _exchange(self, asks: Sequence[Ask]) -> Sequence[int]:
        try:
            await self._connect()
            rest = words(asks)
            try:
                answer = await self._say("EVALSHA", SHA1, *rest)
            except NoScriptError:
                answer = await self._say("EVAL", SCRIPT, *rest)
            if not isinstance(answer, list) or len(answer) != len(asks) or not all(type(one) is int for one in answer):
                raise InvalidResponse("no answer of the script")
        except BaseException:  # a cancellation, too: the next must not read this one's answer
            await self.close()
            raise
        return answer

    async def _connect(self) -> None:
        if self._connection is None:
            self._connection = connection(self._place, SILENCE_S)
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def _say(self, *command: str) -> Any:
        assert self._connection is not None
        await self._connection.send_command(*command)
        return await self._connection.read_response()
