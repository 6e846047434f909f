"""The HTTP client of whatever looks at another part of the service."""

import asyncio
import ssl

import httpx

MOST_BYTES = 4 * 1024 * 1024
"""Of an answer: metrics of many workers are a tenth of it."""


def http_client(timeout_s: float, base_url: str) -> httpx.AsyncClient:
    """A client that calls as the charges do: past the environment's proxies, and with the authorities that they trust.

    Those are the system's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name.

    Raises:
        httpx.InvalidURL: the URL is none.
    """
    return httpx.AsyncClient(base_url=base_url, timeout=timeout_s, trust_env=False, verify=_authorities(base_url))


def _authorities(url: str) -> ssl.SSLContext:
    """To read them takes 30 ms and 2 MiB each time. Over plain HTTP nobody is asked for: none is trusted then."""
    if httpx.URL(url).scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


async def ask(method: str, url: str, within_s: float, body: object = None) -> httpx.Response:
    """Ask once: the status and the content, as far as they are there within the time, and the content is no flood.

    httpx's own time-outs begin anew with each byte.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: there was no answer, or no end of it.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(within_s), http_client(within_s, url) as client:
            headers = {"Accept-Encoding": "identity"}
            async with client.stream(method, url, json=body, headers=headers) as answer:
                async for piece in answer.aiter_raw():
                    content += piece
                    if len(content) > MOST_BYTES:
                        raise httpx.RemoteProtocolError("the answer is too long")
                return httpx.Response(answer.status_code, content=bytes(content))
    except TimeoutError:
        raise httpx.ReadTimeout("the answer has no end") from None
