"""A program that has a webhook, as the tour needs one: it takes what is signed with its secret, each event once."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import msgspec

_LIMIT_S: Final = 60.0


class Receiver:
    """Answers at its URL. `secret` is what making its webhook has answered."""

    url = ""
    secret = ""

    def __init__(self) -> None:
        self._heard: dict[str, str] = {}
        self._more = asyncio.Event()

    async def heard(self, events: int) -> list[str]:
        """The types of all events, once there are so many."""
        async with asyncio.timeout(_LIMIT_S):
            while len(self._heard) < events:
                self._more.clear()
                await self._more.wait()
        return list(self._heard.values())

    async def forged(self) -> int:
        """What it answers to somebody without the secret."""
        headers = {"webhook-id": "made up", "webhook-timestamp": "0", "webhook-signature": "v1,AAAA"}
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.post(self.url, content=b"{}", headers=headers)).status_code

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a request, or refuse it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        genuine = self._is_genuine(headers, body)
        if genuine:
            self._heard[headers["webhook-id"]] = msgspec.json.decode(body)["type"]
            self._more.set()
        status = "204 No Content" if genuine else "401 Unauthorized\r\ncontent-length: 0"
        writer.write(f"HTTP/1.1 {status}\r\nconnection: close\r\n\r\n".encode())
        writer.close()

    def _is_genuine(self, headers: dict[str, str], body: bytes) -> bool:
        signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        mac = hmac.digest(base64.b64decode(self.secret.removeprefix("whsec_")), signed, hashlib.sha256)
        ours = f"v1,{base64.b64encode(mac).decode()}"
        return hmac.compare_digest(ours.encode(), headers.get("webhook-signature", "").encode())


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver, while the block lasts."""
    receiver = Receiver()
    async with await asyncio.start_server(receiver.receive, "127.0.0.1", 0) as server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield receiver
