"""A connection to Redis over which several calls go at once, each a script."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from redis.exceptions import InvalidResponse, NoScriptError

from app.platform.cache.scripts import Call
from app.platform.process.redis_connections import RedisConnection, connection
from app.platform.process.redis_urls import RedisPlace

SILENCE_S: Final = 5.0
"""Whoever asks waits for less; nothing waits longer."""
PREFIX: Final = "strongbox:cache"


class Wire:
    """One exchange at a time, and after one that failed a connection of its own for the next.

    What a run of a server keeps is that run's alone: one that comes back with what it had saved, or a replica that
    takes over, may have things yet that were deleted since. So the id of its run is in every key.

    Any exception of redis-py's may come out of it, and those of the operating system.
    """

    def __init__(self, place: RedisPlace) -> None:
        self._place = place
        self._connection: RedisConnection | None = None
        self._prefix = ""

    async def exchange(self, calls: Sequence[Call]) -> Sequence[Any]:
        """What each answers. Where one fails none counts: any of them may have happened."""
        try:
            async with asyncio.timeout(SILENCE_S):
                answers = await self._exchanged(calls)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        except BaseException:  # a cancellation, too: the next must not read this one's answers
            await self.close()
            raise
        return answers

    async def close(self) -> None:
        """Hang up; the next exchange connects anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # there is nobody to tell
                await connection.disconnect(nowait=True)

    async def _exchanged(self, calls: Sequence[Call]) -> Sequence[Any]:
        connection = await self._connected()
        words = [self._words(call) for call in calls]
        answers = await _say(connection, [("EVALSHA", call.script.sha1, *rest) for call, rest in words])
        unknown = [number for number, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = [("EVAL", words[number][0].script.text, *words[number][1]) for number in unknown]
            for number, answer in zip(unknown, await _say(connection, again), strict=True):
                answers[number] = answer
        return answers

    async def _connected(self) -> RedisConnection:
        if self._connection is None:
            self._connection = connection(self._place, SILENCE_S, is_watched=True)
            await self._connection.connect()  # type: ignore[no-untyped-call]
            (said,) = await _say(self._connection, [("INFO", "server")])
            if isinstance(said, Exception):
                raise said
            self._prefix = f"{PREFIX}:{_run(said)}"
        return self._connection

    def _words(self, call: Call) -> tuple[Call, tuple[str | bytes | int, ...]]:
        return call, (len(call.keys), *(f"{self._prefix}:{key}" for key in call.keys), *call.arguments)


async def _say(connection: RedisConnection, commands: Sequence[tuple[str | bytes | int, ...]]) -> list[Any]:
    """What each command answers, an error of the server's as an exception: all are written before the first is read."""
    await connection.send_packed_command(b"".join(map(_packed, commands)))
    return [await _answer(connection) for _ in commands]


def _packed(command: Sequence[str | bytes | int]) -> bytes:
    """The command as it is sent: a list of texts, each with its length."""
    texts = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n%b" % (len(texts), b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in texts]))


async def _answer(connection: RedisConnection) -> Any:
    try:
        return await connection.read_response()
    except NoScriptError as error:  # the answers behind it are still to be read
        return error


def _run(said: bytes) -> str:
    for line in said.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name == "run_id" and value.isalnum():
            return value
    raise InvalidResponse("the server does not tell which run of it this is")
