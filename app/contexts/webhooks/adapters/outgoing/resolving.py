"""Names, resolved by the system's resolver in threads of their own: one that is slow holds up nobody else."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final, Protocol

from app.contexts.webhooks.domain.addresses import Address

THREADS: Final = 512
"""As many as there may be calls, and as many again that were given up: the system cannot be told to."""


class Resolve(Protocol):
    """Finds the addresses of a host."""

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """All of them, in the order in which they are to be tried.

        Raises:
            OSError: nobody knows the host.
        """
        ...


class SystemResolver:
    """Implements `Resolve`. Its threads are made as they are needed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "webhook-names")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """See `Resolve`."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _lookup, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Wait for none of them."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _lookup(host: str, port: int) -> list[Address]:
    try:
        return [ip_address(str(info[4][0])) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:  # of a name that cannot be one
        raise OSError("no name of a host") from None
