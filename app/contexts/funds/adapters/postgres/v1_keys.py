"""The idempotency keys of /v1, as sending and receiving claim them."""

from typing import Final

from app.contexts.funds import part
from app.platform.idempotency.requests import KEYS, request_keys

SENDING: Final = request_keys(
    given=(("sender", "uuid"), ("currency", "text")), needs=part.has_wallet("r.sender", "r.currency")
)
"""A request claims its key only where the sender has a wallet of the currency."""
RECEIVING: Final = KEYS
