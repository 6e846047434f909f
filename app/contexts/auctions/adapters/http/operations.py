"""What HTTP offers of auctions."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.http.live import Live
from app.contexts.auctions.container import AuctionsContainer
from app.platform.context import Http
from app.platform.http.operations import Operation


def operations(container: AuctionsContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    return Live(watch=container.watch(), http=http).operations()
