"""What `strongbox status` looks at of webhooks: whether what is due is sent."""

from collections.abc import Sequence
from functools import partial

from app.contexts.webhooks.adapters.postgres.figures import totals_of
from app.contexts.webhooks.application.figures import health_of_webhooks
from app.platform.operations.health import LOOK_S, Health, Part
from app.platform.operations.parts import SEE_TO_POSTGRES
from app.platform.postgres.inspection import inspecting


def parts_of_webhooks(database_url: str) -> Sequence[Part]:
    """The parts."""
    return (Part("webhooks", partial(_webhooks, database_url), SEE_TO_POSTGRES),)


async def _webhooks(url: str) -> Health:
    async with inspecting(url, LOOK_S) as books:
        return health_of_webhooks(await totals_of(books))
