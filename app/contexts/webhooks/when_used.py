"""What of webhooks weighs much, loaded by whoever uses it: sealing. A process that only shows what was sent goes
without."""

from functools import cached_property
from typing import TYPE_CHECKING

from app.contexts.webhooks.domain.ids import EndpointId

if TYPE_CHECKING:
    from app.contexts.webhooks.adapters.sealing.seal import AesSeal


class SealWhenUsed:
    """Keeps secrets by what is made for the first of them. It implements `Seal`."""

    def __init__(self, key: str) -> None:
        self._key = key

    def close(self, secret: bytes, endpoint_id: EndpointId) -> bytes:
        """See `Seal.close`."""
        return self._seal.close(secret, endpoint_id)

    def open(self, sealed: bytes, endpoint_id: EndpointId) -> bytes:
        """See `Seal.open`."""
        return self._seal.open(sealed, endpoint_id)

    @cached_property
    def _seal(self) -> "AesSeal":
        from app.contexts.webhooks.adapters.sealing.seal import AesSeal

        return AesSeal(self._key)
