"""How much the API reads, and how long it waits for clients."""

MAX_URI_BYTES = 8 * 1024
MAX_HEAD_BYTES = 16 * 1024
"""All headers together, names and values."""
MAX_HEADERS = 100
MAX_BODY_BYTES = 64 * 1024

# Whatever a client sends or leaves out, it is answered within two seconds of its last byte.
HEAD_WITHIN_S = 1.5
"""How long a request's head may take, from its first byte to its last."""
BODY_WITHIN_S = 1.5
"""How long the body may take after it."""

KEEP_ALIVE_S = 75
"""How long an idle connection is kept: longer than the usual load balancers do, so that their side closes first."""
LINGER_S = 1.0
"""How long a client may take to close a connection that this side has ended."""
LAST_CALL_S = 0.5
"""How long an idle connection stays open when the server ends: a request that was on its way is still answered."""
