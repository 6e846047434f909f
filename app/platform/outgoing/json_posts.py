"""Documents posted to one URL, whose user info, if it has one, is a name and a password."""

from typing import Final

import httpx
import msgspec

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": "strongbox",
}


class JsonPosts:
    """Posts them, one request each; nothing is sent twice."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport) -> None:
        whole = httpx.URL(url)
        self._url = whole.copy_with(userinfo=b"")
        plain = httpx.Request("GET", self._url, headers=_HEADERS)  # a POST without content would have its length
        auth = httpx.BasicAuth(whole.username, whole.password) if whole.userinfo else httpx.Auth()
        self._headers = next(auth.auth_flow(plain)).headers.raw
        self._transport = transport

    async def send(self, document: object, deadline: float) -> tuple[int, bytes]:
        """The status and the body of what is answered, by `deadline`, a time of the running loop.

        Raises:
            TimeoutError, httpx.TransportError: as `Http1Transport` does.
        """
        content = msgspec.json.encode(document)
        headers = [*self._headers, (b"Content-Length", b"%d" % len(content))]
        request = httpx.Request(
            "POST", self._url, headers=headers, stream=httpx.ByteStream(content), extensions={"deadline": deadline}
        )
        response = await self._transport.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return response.status_code, b"".join([part async for part in response.stream])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
