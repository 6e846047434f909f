"""All that can be asked, by what it is about."""

from typing import Generic

from strongbox_client.operation import Caller, W
from strongbox_client.operations.auctions import Auctions
from strongbox_client.operations.auth import Auth
from strongbox_client.operations.cart import Cart
from strongbox_client.operations.cashback import Cashback
from strongbox_client.operations.catalog import Categories, Products
from strongbox_client.operations.orders import Orders
from strongbox_client.operations.payments import Payments
from strongbox_client.operations.purchases import Purchases
from strongbox_client.operations.reconciliations import Reconciliations
from strongbox_client.operations.system import System
from strongbox_client.operations.users import Users
from strongbox_client.operations.wallet import Wallet
from strongbox_client.operations.wallets import Wallets
from strongbox_client.operations.webhooks import Webhooks


class Operations(Generic[W]):
    """What both clients offer."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @property
    def auctions(self) -> Auctions[W]:
        """Auctions, and bids."""
        return Auctions(self._caller)

    @property
    def auth(self) -> Auth[W]:
        """Registering, signing in, oneself."""
        return Auth(self._caller)

    @property
    def cart(self) -> Cart[W]:
        """One's cart."""
        return Cart(self._caller)

    @property
    def cashback(self) -> Cashback[W]:
        """One's cashback, and its rules."""
        return Cashback(self._caller)

    @property
    def categories(self) -> Categories[W]:
        """The tree of categories."""
        return Categories(self._caller)

    @property
    def orders(self) -> Orders[W]:
        """What one buys, and sells."""
        return Orders(self._caller)

    @property
    def payments(self) -> Payments[W]:
        """Payments and refunds under `/v1`."""
        return Payments(self._caller)

    @property
    def products(self) -> Products[W]:
        """What is for sale."""
        return Products(self._caller)

    @property
    def purchases(self) -> Purchases[W]:
        """What machines tell of purchases elsewhere."""
        return Purchases(self._caller)

    @property
    def reconciliations(self) -> Reconciliations[W]:
        """The gateway's reports, held against what we have."""
        return Reconciliations(self._caller)

    @property
    def system(self) -> System[W]:
        """The service itself."""
        return System(self._caller)

    @property
    def users(self) -> Users[W]:
        """The people of the tenant."""
        return Users(self._caller)

    @property
    def wallet(self) -> Wallet[W]:
        """One's own wallet."""
        return Wallet(self._caller)

    @property
    def wallets(self) -> Wallets[W]:
        """Any user's wallet, by API key."""
        return Wallets(self._caller)

    @property
    def webhooks(self) -> Webhooks[W]:
        """Endpoints that events are sent to."""
        return Webhooks(self._caller)
