"""`python -m bench.clients.spreading EVENT_BYTES`: a bare loop that does for watchers what there is no less of.

It speaks as much HTTP as the client `watching` does: whoever asks for `…/live` is told of every bid from then on, by as
many bytes, as soon as it was answered. Its port is the first line that it prints.
"""

import asyncio
import sys
from typing import cast

import uvloop

_ANSWER = b'{"minimum_bid":1,"sequence":%d}'
_PLAIN = b"HTTP/1.1 %d Whatever\r\ncontent-length: %d\r\n\r\n%s"
_STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Connection(asyncio.Protocol):
    """Somebody who watches, or who bids."""

    watching: set[asyncio.Transport]
    event: bytes
    bids = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but not by inheritance

    def data_received(self, data: bytes) -> None:
        method, target, _ = data.split(b" ", 2)
        if target.endswith(b"/live"):
            self._transport.write(_STREAM)
            self.watching.add(self._transport)
            return
        Connection.bids += method == b"POST"
        answer = _ANSWER % self.bids
        self._transport.write(_PLAIN % (201 if method == b"POST" else 200, len(answer), answer))
        if method == b"POST":
            for each in self.watching:
                each.write(self.event)

    def connection_lost(self, _: Exception | None) -> None:
        self.watching.discard(self._transport)


async def _main(event_bytes: int) -> None:
    head = b"id: 1\nevent: bid\ndata: "
    data = head + b"x" * (event_bytes - len(head) - 2) + b"\n\n"
    Connection.watching, Connection.event = set(), b"%x\r\n%s\r\n" % (len(data), data)
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1])))
