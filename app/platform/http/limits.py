"""How much the API reads, and how long it waits for clients."""

MAX_URI_BYTES = 8 * 1024
MAX_HEAD_BYTES = 16 * 1024
"""All headers together, names and values."""
MAX_HEADERS = 100
MAX_BODY_BYTES = 64 * 1024

SYSTEM_HOLDS_BYTES = 64 * 1024
"""What the system is told to keep of a connection's bytes in each direction (Linux: twice that, with what it needs).

It would grow to several MiB by itself, which count as the container's memory. So much is read at once at the most, too.
"""

# Whatever a client sends or leaves out, it is answered within two seconds of its last byte.
HEAD_WITHIN_S = 1.5
"""How long a request's head may take, from its first byte to its last."""
BODY_WITHIN_S = 1.5
"""How long the body may take after it. One that may be longer than most has as long again for each `MAX_BODY_BYTES`."""

KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than the usual load balancers do, so that their side closes first."""
TAKEN_WITHIN_S = 15.0
"""How long a client may leave an answer, or the part of it that the system does not keep for it, untaken."""
LINGER_S = 1.0
"""How long a client may take to close a connection that this side has ended."""
LAST_CALL_S = 0.5
"""How long an idle connection stays open when the server ends: a request that was on its way is still answered."""
