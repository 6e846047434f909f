"""The servers that tests run themselves leave nothing behind for another test to stumble over."""

import asyncio
import gc
import socket
from urllib.parse import urlsplit

import pytest

from tests.platform.peers import serving, silent


@pytest.mark.parametrize("turns", range(5))
async def test_a_server_that_ends_as_it_accepts_closes_what_it_has_accepted(turns: int) -> None:
    """Whatever the loop has made of a connection by then: one that is found unclosed fails the test."""
    async with serving(silent) as server:
        where = urlsplit(server.url)
        client = socket.create_connection((where.hostname, where.port))
        for _ in range(turns):
            await asyncio.sleep(0)
    client.close()
    await asyncio.sleep(0)
    gc.collect()
