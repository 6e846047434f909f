"""What HTTP offers of auctions."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.http.bids import Bids
from app.contexts.auctions.container import AuctionsContainer
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def operations(container: AuctionsContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    bids = Bids(place=container.place_bid(), clean_up=container.clean_up(), ids=uuid7, http=http)
    return [*bids.operations()]
