"""What `strongbox verify` finds of auctions, of the orders that came of them, and of what others tell of both."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.operations.checks import checks_of_auctions
from tests.ordering import verified
from tests.ordering.market import Market


async def offenders(market: Market) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    return [*await verified.offenders(market, checks_of_auctions), *await verified.offenders(market)]
