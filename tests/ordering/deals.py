"""Orders of two lamps that are paid, for tests of what becomes of them."""

from uuid import UUID, uuid4

from app.contexts.ordering.application.closing_steps import Complete, Start
from app.contexts.ordering.domain.ids import OrderId
from app.contexts.ordering.domain.order import Closing
from app.kernel.ids import UserId
from tests.ordering.market import Market, code_of, try_out

FEE_BP = "125"
FEE = 31
"""Of 2,500, rounded down."""


class Deal:
    """An order of two lamps that is paid, and who is in it."""

    def __init__(self, market: Market, buyer: UserId, seller: UserId, lamp: UUID, order_id: OrderId) -> None:
        self.market, self.buyer, self.seller, self.lamp, self.order_id = market, buyer, seller, lamp, order_id

    def start(
        self, closing: Closing, by: UserId | None = None, tracking: str | None = None, reason: str | None = None
    ) -> Start:
        """What is asked for; a seller's word, unless another's."""
        return Start(
            tenant_id=self.market.tenant,
            order_id=self.order_id,
            closing=closing,
            by=by or self.seller,
            tracking=tracking,
            reason=reason,
        )

    def complete(self, by: UserId | None = None) -> Complete:
        return Complete(self.market.tenant, self.order_id, by or self.buyer)

    async def stands(self) -> str:
        """Where the order stands; that nothing else stands elsewhere is seen to."""
        ((status, closing, hold, held_by),) = await self.market.all(
            "SELECT o.status, o.closing, h.status, o.hold_id FROM ordering.orders o JOIN holds h ON h.id = o.hold_id"
            " WHERE o.id = %s",
            self.order_id,
        )
        assert held_by is not None
        balances = [await self.market.wallet(user) for user in (self.buyer, self.seller)]
        stock = await self.market.stands(self.lamp)
        match status:
            case "paid":
                assert (hold, balances, stock) == ("OPEN", [(0, 2_500), (0, 0)], (1, 0, 2))
            case "cancelled":
                assert (hold, balances, stock) == ("RELEASED", [(2_500, 0), (0, 0)], (3, 0, 0))
            case _:
                assert (hold, balances, stock) == ("CAPTURED", [(0, 0), (2_500 - FEE, 0)], (1, 0, 2))
        assert closing is None
        return str(status)

    async def age(self, column: str, days: float) -> None:
        """Let it be that long ago."""
        statement = f"UPDATE ordering.orders SET {column} = {column} - make_interval(secs => %s) WHERE id = %s"
        await self.market.all(statement, days * 86_400, self.order_id)


async def deal(market: Market) -> Deal:
    """Something was ordered."""
    seller = UserId(uuid4())
    lamp = await market.product(3, seller=seller)
    buyer = await market.buyer(2_500, {lamp: 2})
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 2_500))) == "paid"
    ((order_id,),) = await market.all("SELECT id FROM ordering.orders WHERE user_id = %s", buyer)
    return Deal(market, buyer, seller, lamp, OrderId(order_id))
