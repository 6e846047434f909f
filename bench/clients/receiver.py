"""`python -m bench.clients.receiver PORT SILENT_PORT`: takes whatever is posted to one port, and nothing at the other,
where it lets connections come and says nothing.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Taking(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(_TAKEN)


async def _main(port: int, silent_port: int) -> None:
    loop = asyncio.get_running_loop()
    taking = await loop.create_server(_Taking, "127.0.0.1", port, backlog=1024)
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", silent_port, backlog=1024)
    async with taking, silent:
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2])))
