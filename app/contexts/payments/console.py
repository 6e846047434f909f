"""What stands behind the pages that payments bring to the console."""

from collections.abc import Sequence
from functools import partial

from app.contexts.payments.adapters.console import pages as console
from app.contexts.payments.adapters.console.breakers import breakers
from app.contexts.payments.adapters.gateway.control import MockGatewayControl
from app.contexts.payments.adapters.postgres.activity import PostgresPulse
from app.contexts.payments.adapters.postgres.history import PostgresRecords
from app.contexts.payments.application.history import tell
from app.contexts.payments.container import PaymentsContainer
from app.contexts.payments.settings import PaymentsSettings
from app.platform.console.page import Page
from app.platform.postgres.trail import PostgresTrail
from app.platform.process.settings import Settings


def pages(container: PaymentsContainer, api_urls: Sequence[str]) -> Sequence[Page]:
    """The pages. At the URLs APIs serve, which tell of their breakers."""
    own: PaymentsSettings = container.settings()
    platform: Settings = container.platform.settings()
    pulse = PostgresPulse(container.upkeep_pool())
    records = PostgresRecords(container.database().url)
    story = partial(
        tell,
        records,
        PostgresTrail(platform.consumers_url),
        recover_after_s=platform.recover_after_s,
        key_ttl_h=platform.idempotency_ttl_h,
    )
    gateway = MockGatewayControl(own.gateway_url) if own.gateway_url else None
    return console.pages(pulse, partial(breakers, api_urls), pulse, story, records.place_of, gateway)
