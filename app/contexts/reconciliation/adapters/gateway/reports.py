"""The gateway's reports, by HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from tempfile import TemporaryFile
from typing import IO, Final

import httpx

from app.contexts.reconciliation.domain.refusals import NotAReport
from app.kernel.errors import Unavailable
from app.platform.http.client import http_client

PIECE_BYTES: Final = 1 << 20
SILENT_S: Final = 30.0
"""How long the gateway may take to begin its answer, and to go on with it."""
WHOLE_S: Final = 900.0
MOST_BYTES: Final = 1 << 33
"""Some fifty million lines."""


class HttpReports:
    """The reports of the gateway at that URL. It implements `GatewayReports`."""

    def __init__(self, gateway_url: str) -> None:
        self._gateway_url = gateway_url

    @asynccontextmanager
    async def of(self, day: date) -> AsyncIterator[Iterator[bytes]]:
        """See `GatewayReports.of`: it is in a file that has no name, so that nothing is open in the database while the
        gateway takes its time."""
        if not self._gateway_url:
            raise Unavailable("GATEWAY_URL is not set")
        with TemporaryFile() as kept:
            try:
                async with asyncio.timeout(WHOLE_S), http_client(SILENT_S, self._gateway_url) as client:
                    await _fetch(client, day, kept)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise Unavailable(f"the gateway does not answer ({type(error).__name__})") from error
            except TimeoutError:
                raise Unavailable("the gateway's report has no end") from None
            except OSError as error:
                raise Unavailable(f"the report cannot be kept in a temporary file ({error.strerror})") from error
            kept.seek(0)
            yield pieces_of(kept)


async def _fetch(client: httpx.AsyncClient, day: date, kept: IO[bytes]) -> None:
    async with client.stream("GET", f"reports/{day.isoformat()}", headers={"Accept": "text/csv"}) as answer:
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"the gateway fails: status {answer.status_code}")
        if answer.status_code != 200:
            raise NotAReport("report", f"is not served by the gateway for {day}: status {answer.status_code}")
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/csv":
            raise NotAReport("report", "is not text/csv")
        async for piece in answer.aiter_bytes(PIECE_BYTES):
            kept.write(piece)
            if kept.tell() > MOST_BYTES:
                raise NotAReport("report", "has no end")


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """The rest of the file, some at a time."""
    return iter(lambda: file.read(PIECE_BYTES), b"")
