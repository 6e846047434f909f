"""What webhooks bring into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.contexts.webhooks.adapters.postgres.tables import WEBHOOKS as TABLES
from app.contexts.webhooks.settings import WebhooksSettings
from app.kernel.business import BUSINESS_EVENTS
from app.kernel.topology import Exchange, Publication, Queue
from app.platform.context import Consumer, Context, Hearing, Http
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.webhooks.container import WebhooksContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.operations.health import Part
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform

QUEUE: Final = Queue("webhooks.queue", "webhooks.dlq", ("*.*",), ordered=True, yields=True)
"""One process at a time has it, so that events of one subject are written down in their order."""

# As a stranger would hear them: by their names. A test sees to it that nothing is missing. Nobody is sent holds, of
# which there are two events for each bid: the broker need not keep them here, too.
HEARS: Final[Mapping[str, tuple[str, ...]]] = {
    "identity.events": QUEUE.bindings,
    "payments.events": ("payment.*", "refund.*", "transfer.*"),
    "market.events": QUEUE.bindings,
    "rewards.events": QUEUE.bindings,
    "mint.events": QUEUE.bindings,
    BUSINESS_EVENTS.name: QUEUE.bindings,
}


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "WebhooksContainer":
    from app.contexts.webhooks.container import make

    return make(platform, database, around)


def _operations(container: "WebhooksContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.webhooks.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "WebhooksContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.webhooks.processes import serving

    return serving(container)


def _hearing(container: "WebhooksContainer", in_process: bool) -> Hearing:
    from app.contexts.webhooks.processes import hearing

    return hearing(container, in_process)


def _pages(container: "WebhooksContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.webhooks.adapters.console.pages import pages

    return pages(container)


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.webhooks.adapters.operations.checks import checks_of_webhooks

    return checks_of_webhooks(database, settings.of(WebhooksSettings).webhook_retention_d)


def _parts(_: Settings, url: str) -> "Sequence[Part]":
    from app.contexts.webhooks.adapters.operations.parts import parts_of_webhooks

    return parts_of_webhooks(url)


def _local(settings: Settings, folder: Path) -> Mapping[str, str]:
    from app.platform.process.secret_files import secret

    if settings.of(WebhooksSettings).webhook_key:
        return {}
    return {"WEBHOOK_KEY": secret(folder / "webhook-key")}


WEBHOOKS = Context["WebhooksContainer"](
    name="webhooks",
    settings=WebhooksSettings,
    tables=TABLES,
    container=_container,
    operations=_operations,
    publication=Publication("webhooks", BUSINESS_EVENTS),
    required=("webhook_key",),
    local=_local,
    serving=_serving,
    consumers=(
        Consumer(
            name="webhooks",
            help="Write down which events go to which webhooks, and send them.",
            hears=[Exchange(name, (replace(QUEUE, bindings=keys),)) for name, keys in HEARS.items()],
            required=("webhook_key",),
            metrics_port="webhooks_metrics_port",
            local_metrics_port=9108,
            work=_hearing,
            is_worker=True,
        ),
    ),
    pages=_pages,
    checks=_checks,
    parts=_parts,
    commands={"webhook": "app.contexts.webhooks.adapters.cli.webhook"},
)
