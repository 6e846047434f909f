"""Sockets: those that listen, and those of clients."""

import socket
import struct

from app.platform.http.limits import SYSTEM_HOLDS_BYTES

BACKLOG = 2048

_WITHOUT_LINGERING = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing forgets at once what is not sent."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, which children may inherit. On `::` it is IPv4's as well.

    Raises:
        OSError: the address cannot be had.
    """
    is_ipv6 = ":" in host
    listener = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
        backlog=BACKLOG,
        dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6(),
    )
    listener.set_inheritable(True)
    return listener


def hold_little(connection: socket.socket, taken_within_s: float) -> None:
    """Have the system keep little of what is sent either way, and nothing of it that is not taken within the time."""
    for direction in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        connection.setsockopt(socket.SOL_SOCKET, direction, SYSTEM_HOLDS_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        # What the system keeps for a client, after our end as well, is not kept for longer either.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(taken_within_s * 1000))


def forget_at_close(connection: socket.socket) -> None:
    """Have the system forget at the end what it still holds for the client."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _WITHOUT_LINGERING)
