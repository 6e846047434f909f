"""What HTTP offers of auctions."""

from collections.abc import Sequence

from app.contexts.auctions.adapters.http.auctions import Auctions
from app.contexts.auctions.adapters.http.bids import Bids
from app.contexts.auctions.adapters.http.endings import Endings
from app.contexts.auctions.adapters.http.live import Live
from app.contexts.auctions.container import AuctionsContainer
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def operations(container: AuctionsContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    assert http.people is not None
    close = container.close_auction(sales=container.ordering.sales(directory=http.people.directory))
    clean_up = container.clean_up()
    auctions = Auctions(read=container.read_auctions(), open=container.open_auction(), http=http)
    bids = Bids(place=container.place_bid(), clean_up=clean_up, ids=uuid7, http=http)
    endings = Endings(buy=container.buy_now(close=close), close=close, clean_up=clean_up, ids=uuid7, http=http)
    live = Live(watch=container.watch(), http=http)
    return [*auctions.operations(), *bids.operations(), *endings.operations(), *live.operations()]
