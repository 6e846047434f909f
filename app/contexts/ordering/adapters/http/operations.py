"""What HTTP offers of carts and orders."""

from collections.abc import Sequence

from app.contexts.ordering.adapters.http.carts import Carts
from app.contexts.ordering.adapters.http.checkout import Checkouts
from app.contexts.ordering.adapters.http.closing import Closings
from app.contexts.ordering.adapters.http.orders import Orders
from app.contexts.ordering.application.houses import Houses
from app.contexts.ordering.container import OrderingContainer
from app.platform.context import Http
from app.platform.http.operations import Operation
from app.platform.process.uuid7 import uuid7


def operations(container: OrderingContainer, http: Http) -> Sequence[Operation]:
    """All of them."""
    carts = Carts(
        read=container.read_cart(),
        put=container.put_into_cart(),
        change=container.change_item(),
        remove=container.remove_item(),
        http=http,
    )
    orders = Orders(read=container.read_orders(), http=http)
    assert http.people is not None
    checkouts = Checkouts(check_out=container.check_out(houses=Houses(http.people.directory)), ids=uuid7, http=http)
    closings = Closings(close=container.close_order(), http=http)
    return [*carts.operations(), *orders.operations(), *checkouts.operations(), *closings.operations()]
