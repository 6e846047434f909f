"""What webhooks bring to the console: endpoints, their deliveries, the story of one, and sending again."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.contexts.webhooks.adapters.console.mending import mending
from app.contexts.webhooks.adapters.console.webhooks import webhooks
from app.contexts.webhooks.container import WebhooksContainer
from app.contexts.webhooks.domain.refusals import DeliveryNotFound, EndpointNotFound
from app.platform.console.page import Page
from app.platform.tenants import TenantUnknown

TEMPLATES = Path(__file__).with_name("templates")


def pages(container: WebhooksContainer) -> Sequence[Page]:
    """The pages."""
    missing = (EndpointNotFound, DeliveryNotFound, TenantUnknown)
    tenants = container.tenants()
    shown = partial(webhooks, container.endpoints(), container.deliveries(), container.tell(), tenants)
    return (
        Page(shown, "/webhooks", "Webhooks", 32, TEMPLATES, missing),
        Page(partial(mending, container.operate(), tenants)),
    )
