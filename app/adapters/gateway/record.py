"""The gateway's own record of its charges, where it serves one (the mock does)."""

from collections.abc import Sequence
from uuid import UUID

import httpx
import msgspec

from app.application.integrity.charges import Charge

_LIMIT_S = 60.0


class _Charge(msgspec.Struct):
    payment_id: UUID
    status: str
    amount: int | None = None
    currency: str | None = None
    charges_made: int = 1


class _Record(msgspec.Struct):
    charges: list[_Charge]


class _Status(msgspec.Struct):
    status: str


class GatewayRecord:
    """Reads what the gateway holds."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def charges(self) -> Sequence[Charge] | None:
        """All charges and tombstones; None where the gateway serves no such list."""
        try:
            answer = await self._client.get("admin/charges", timeout=_LIMIT_S)
            if not answer.is_success:
                return None
            found = msgspec.json.decode(answer.content, type=_Record).charges
        except (httpx.HTTPError, msgspec.DecodeError):
            return None
        return [Charge(c.payment_id, c.status, c.amount, c.currency, c.charges_made) for c in found]

    async def status(self, payment_id: UUID) -> str | None:
        """What the gateway says of a payment now; None when it has not seen it, or does not say."""
        try:
            answer = await self._client.get(f"charges/{payment_id}")
            return msgspec.json.decode(answer.content, type=_Status).status if answer.is_success else None
        except (httpx.HTTPError, msgspec.DecodeError):
            return None
