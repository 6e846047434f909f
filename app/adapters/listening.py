"""Sockets that listen."""

import socket

BACKLOG = 2048


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
