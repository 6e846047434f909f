"""What payments bring to the console: the start page, payments, finding one, and the mock gateway."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from app.contexts.payments.adapters.console.breakers import Breaker
from app.contexts.payments.adapters.console.gateway import gateway
from app.contexts.payments.adapters.console.overview import overview
from app.contexts.payments.adapters.console.payments import payments
from app.contexts.payments.application.activity import Pulse
from app.contexts.payments.application.history import PaymentNotFound, Story
from app.contexts.payments.application.mock_gateway import GatewayControl
from app.contexts.payments.application.recent import RecentPayments
from app.platform.console.page import HOME, Knows, Page

TEMPLATES = Path(__file__).with_name("templates")


def pages(
    pulse: Pulse,
    breakers: Callable[[], Awaitable[Sequence[Breaker]]],
    recent: RecentPayments,
    story: Callable[[UUID], Awaitable[Story]],
    knows: Knows,
    control: GatewayControl | None,
) -> Sequence[Page]:
    """The pages. `knows` is the page of a payment that there is; there is no `control` without a gateway."""
    return (
        Page(partial(overview, pulse, breakers), HOME, "Overview", place=0, templates=TEMPLATES),
        Page(partial(payments, recent, story), "/payments", "Payments", 10, TEMPLATES, (PaymentNotFound,), knows),
        Page(partial(gateway, control), "/gateway", "Gateway", place=50, templates=TEMPLATES),
    )
