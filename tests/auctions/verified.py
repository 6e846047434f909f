"""What `strongbox verify` finds of auctions, of the orders that came of them, and of what others tell of both."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.operations.checks import checks_of_auctions
from tests.ordering import verified
from tests.ordering.verified import Looked


async def offenders(market: Looked) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    return [*await verified.offenders(market, checks_of_auctions), *await verified.offenders(market)]
