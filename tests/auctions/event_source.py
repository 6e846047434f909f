"""Somebody who watches an auction as a browser does: asks again whenever the answer is over, until there is no more."""

import asyncio
import re
import time
from contextlib import closing
from dataclasses import dataclass, field

RETRY_S = 1.0
_EVENT = re.compile(rb"id: (\d+)\nevent: (\w+)\ndata: ")


class NoStream(Exception):  # noqa: N818 -- it says what came
    """An answer that is none: a browser gives up."""


@dataclass
class EventSource:
    """An EventSource. `events` are the ids and kinds of what it was told; `away_s` is how long each break took."""

    port: int
    path: str
    events: list[tuple[int, str]] = field(default_factory=list)
    away_s: list[float] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Watch, to the end of all.

        Raises:
            NoStream: somebody answered with something else.
        """
        while await self._listen():
            broke_off = time.monotonic()
            self.opened.clear()
            await asyncio.sleep(RETRY_S)
            self.away_s.append(time.monotonic() - broke_off)

    async def _listen(self) -> bool:
        """One connection, to its end; whether there is anything to come back for."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        except OSError:
            return True
        with closing(writer):
            last = f"Last-Event-ID: {self.events[-1][0]}\r\n" if self.events else ""
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n{last}\r\n".encode())
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head[9:12])
                if status == 204:
                    return False
                if status != 200:
                    raise NoStream(status)
                self.opened.set()
                while size := int(await reader.readline(), 16):
                    await self._take(reader, size)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                pass
        return True

    async def _take(self, reader: asyncio.StreamReader, size: int) -> None:
        # The pieces of our answers end where events do.
        piece = (await reader.readexactly(size + 2))[:-2]
        assert piece.endswith(b"\n\n")
        self.events += [(int(found[1]), found[2].decode()) for found in _EVENT.finditer(piece)]
