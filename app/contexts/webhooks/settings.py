"""The settings of webhooks."""

from typing import Annotated

from msgspec import Meta

from app.contexts.webhooks.domain.addresses import Allowed, allowing
from app.platform.process.settings import Port, Section, entries
from app.platform.process.urls import listed, network, secret


class WebhooksSettings(Section, frozen=True, kw_only=True):
    """Whom events may be sent to, and how long it is known what became of it."""

    webhook_key: Annotated[str, Meta(extra={"check": secret})] = ""
    """What the secrets of endpoints are kept under."""
    webhook_allow_http: bool = False
    """Whether an endpoint may be reached without TLS."""
    webhook_allowed_cidrs: Annotated[str, Meta(extra={"is_list": True, "check": listed(network)})] = ""
    """What may be called beside the public Internet."""
    webhook_retention_d: Annotated[int, Meta(ge=1, le=3_650)] = 30
    """Days that deliveries are kept, and events for whoever asks for a replay."""
    webhooks_metrics_port: Port = 0

    @property
    def allowed(self) -> Allowed:
        """What may be called."""
        return allowing(entries(self.webhook_allowed_cidrs))
