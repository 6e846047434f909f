"""What `strongbox status` looks at of funds: holds whose time is over."""

from collections.abc import Sequence
from functools import partial

from app.contexts.funds.adapters.postgres.overdue import overdue_of
from app.contexts.funds.application.overdue import health_of_holds
from app.platform.operations.health import LOOK_S, Health, Part
from app.platform.operations.parts import SEE_TO_POSTGRES
from app.platform.postgres.inspection import inspecting


def parts_of_funds(database_url: str) -> Sequence[Part]:
    """The parts."""
    return (Part("holds", partial(_holds, database_url), SEE_TO_POSTGRES),)


async def _holds(url: str) -> Health:
    async with inspecting(url, LOOK_S) as books:
        return health_of_holds(await overdue_of(books))
