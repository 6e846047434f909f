"""The settings of payments."""

from typing import Annotated, Literal

from msgspec import Meta

from app.platform.process.settings import Count, InvalidSettings, Port, Seconds, Section, Settings
from app.platform.process.urls import gateway_url

GatewayUrl = Annotated[str, Meta(extra={"check": gateway_url})]


class PaymentsSettings(Section, frozen=True, kw_only=True):
    """The gateway, and how patient one is with it."""

    gateway_url: GatewayUrl = ""
    gateway_timeout_s: Seconds = 2.0
    gateway_attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    gateway_concurrency: Count = 512
    breaker_failures: Count = 20
    breaker_reset_s: Annotated[float, Meta(gt=0, lt=10)] = 5.0
    mock_gateway_port: Port = 8081
    mock_gateway_mode: Literal[
        "happy", "timeout", "500", "declined", "latency", "random", "429", "reset", "garbage", "wrong_amount"
    ] = "happy"

    def agree_with(self, platform: Settings) -> None:
        """See whether a call of the gateway is over before its request is.

        Raises:
            InvalidSettings: it is not; the message names the settings.
        """
        if self.gateway_timeout_s >= platform.request_timeout_s:
            raise InvalidSettings(
                f"GATEWAY_TIMEOUT_S ({self.gateway_timeout_s:g}) must be below "
                f"REQUEST_TIMEOUT_S ({platform.request_timeout_s:g})"
            )
