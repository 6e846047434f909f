"""What runs of webhooks: what hears and sends, and what the API shows of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from app.contexts.webhooks.container import WebhooksContainer
from app.contexts.webhooks.settings import WebhooksSettings
from app.platform.context import Hearing
from app.platform.messaging.handing_over import OfTenants
from app.platform.metrics.gauges import Look

_log = structlog.get_logger(__name__)


def hearing(container: WebhooksContainer, in_process: bool) -> Hearing:
    """What is heard is written down, and senders beside it send it: neither waits for the other.

    In the relay's process, without a key, it is written down and waits.
    """
    settings: WebhooksSettings = container.settings()
    handle = OfTenants(container.hearing())
    looks = [container.waiting().look]
    if in_process and not settings.webhook_key:
        _log.warning("webhooks_not_sent", reason="WEBHOOK_KEY is not set: what is heard is noted, and waits")
        return Hearing(handle=handle, around=_quietly(looks), works=[container.clean_up()])
    send = container.send()
    return Hearing(handle=handle, around=_sending(container, looks), works=[send.run, container.clean_up()])


@asynccontextmanager
async def serving(container: WebhooksContainer) -> AsyncIterator[Sequence[Look]]:
    """What waits is shown."""
    yield [container.waiting().look]


@asynccontextmanager
async def _quietly(looks: Sequence[Look]) -> AsyncIterator[Sequence[Look]]:
    yield looks


@asynccontextmanager
async def _sending(container: WebhooksContainer, looks: Sequence[Look]) -> AsyncIterator[Sequence[Look]]:
    try:
        yield looks
    finally:
        container.caller().close()
        container.resolver().close()
