"""The mock gateway's control endpoint, which no other gateway has."""

from dataclasses import asdict
from typing import Final

import httpx
import msgspec

from app.contexts.payments.application.mock_gateway import GatewayMode
from app.kernel.errors import Unavailable
from app.platform.http.client import ask

WITHIN_S: Final = 2.0


class MockGatewayControl:
    """The endpoint of the gateway at that URL. It implements `GatewayControl`."""

    def __init__(self, gateway_url: str) -> None:
        self._url = f"{gateway_url.rstrip('/')}/admin/mode"

    async def mode(self) -> GatewayMode | None:
        """See `GatewayControl.mode`."""
        answer = await self._ask("GET")
        try:
            # A gateway of somebody else's may have anything there.
            return msgspec.json.decode(answer.content, type=GatewayMode) if answer.is_success else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    async def set_mode(self, mode: GatewayMode) -> None:
        """See `GatewayControl.set_mode`."""
        answer = await self._ask("PUT", asdict(mode))
        if not answer.is_success:
            raise Unavailable(f"the gateway does not take the mode: status {answer.status_code}")

    async def _ask(self, method: str, body: object = None) -> httpx.Response:
        try:
            return await ask(method, self._url, WITHIN_S, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"the gateway does not answer ({type(error).__name__})") from error
