"""The end of a listening socket, without a reset for anyone.

Closing it resets the connections that the system has made and nobody has accepted yet, and under load there are always
some. So the door is closed first: the system begins no more connections, those that are begun come in, and only then
the socket is closed.
"""

import ctypes
import errno
import socket
import struct
import sys

_SO_ATTACH_FILTER = 26
"""From Linux's <asm-generic/socket.h>; the socket module does not name it."""

_NO_NEW_CONNECTIONS = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte with the TCP header's flags
        (0x54, 0, 0, 0x12),  # keep SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone, a connection's first segment?
        (0x06, 0, 0, 0),  # then drop it
        (0x06, 0, 0, 0xFFFFFFFF),  # let everything else pass
    )
)
"""A filter in the classic Berkeley packet filter's instructions, as Linux runs them on a socket's segments."""


def close_door(listening: socket.socket) -> None:
    """Let no new connection begin on a listening socket, in whichever processes share it; accept those that wait.

    Whoever comes now is not refused but not heard: the client's system asks again a second later, and finds the port
    closed, or the next server. Where the system has no such filters the room to wait shrinks to one connection, and
    that one may meet a reset.
    """
    if sys.platform == "linux":
        instructions = ctypes.create_string_buffer(_NO_NEW_CONNECTIONS)
        program = struct.pack("@HP", len(_NO_NEW_CONNECTIONS) // 8, ctypes.addressof(instructions))
        try:
            listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        except OSError as error:
            if error.errno not in (errno.ENOPROTOOPT, errno.EPERM, errno.EINVAL):
                raise
        else:
            return
    listening.listen(0)
