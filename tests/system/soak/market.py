"""The market: sellers, buyers and lookers at one shelf, and what is told of them in the end."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Asking
from tests.system.soak.bidders import Bidders
from tests.system.soak.buyers import Buyers
from tests.system.soak.load import Wallet
from tests.system.soak.lookers import Lookers
from tests.system.soak.moves import Account
from tests.system.soak.sellers import Sellers
from tests.system.soak.shelf import Shelf

SELLERS: Final = 3
BUYERS: Final = 6
ASKERS: Final = 16
REPLAYS: Final = 500


class Market:
    """They are there from the beginning to `close`. Buyers are some of the crowd, with what wallets they own.
    The last of the sellers auctions, and the others sell."""

    def __init__(
        self,
        apis: Sequence[str],
        crowd: Sequence[Person],
        owned: Sequence[Wallet],
        sellers: Sequence[Person],
        bidders: Sequence[Person],
        admin: Person,
        seed: int,
        patience_s: float,
    ) -> None:
        self.asking = Asking(apis, patience_s)
        self.shelf = Shelf()
        currencies = {who: [one.currency for one in owned if one.user_id == who.id] for who in crowd[:BUYERS]}
        self.buyers = Buyers(self.asking, self.shelf, currencies, {str(who.id): who for who in sellers}, seed)
        *sellers, auctioneer = sellers
        self.bidders = Bidders(self.asking, auctioneer, admin, bidders, seed)
        self._sellers = Sellers(self.asking, self.shelf, sellers, seed)
        self._lookers = Lookers(self.asking, self.shelf, sellers, seed)

    async def open(self) -> None:
        """Have something on the shelf."""
        await self._sellers.open()
        await self.bidders.open()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        working = (self._sellers.run(stop), self.buyers.run(stop), self._lookers.run(stop), self.bidders.run(stop))
        await asyncio.gather(*working)

    async def at_last(self) -> None:
        """Once everything has healed, and nobody else is at work: a little of all, however slow the machine was."""
        await self._sellers.at_last(BUYERS)
        await self.buyers.at_last()
        await self.bidders.at_last()

    async def close(self) -> None:
        """Close the connections."""
        await self.asking.close()

    async def replay(self) -> None:
        """Have the newest checkouts, and what was done with their orders last, asked for once more: everybody is told
        the same again."""
        last = [order.closings[-1] for order in self.buyers.orders.values() if order.closings]
        deeds = [*self.buyers.sales[-REPLAYS:], *(deed for deed in last[-REPLAYS:])]
        slots = asyncio.Semaphore(ASKERS)

        async def again(number: int) -> None:
            async with slots:
                await self.buyers.insist(deeds[number], number)

        await asyncio.gather(*map(again, range(len(deeds))))
        await asyncio.gather(*(self.bidders.insist(bid, nth) for nth, bid in enumerate(self.bidders.bids[-ASKERS:])))

    def effects(self, house: str) -> Counter[Account]:
        """What all of it did to what people can spend, by what they were told."""
        total = self.bidders.effects()
        for order in self.buyers.orders.values():
            total.update(order.effect(house))
        return total

    def held(self) -> Counter[Account]:
        """What is set aside in the end: for orders that were left as they were."""
        left = [order.paid for order in self.buyers.orders.values() if order.status == "paid"]
        held: Counter[Account] = Counter()
        for paid in left:
            held[paid["buyer_id"], paid["currency"]] += paid["total"]
        return held

    def holds(self) -> Collection[str]:
        """The holds that buyers were told of."""
        return {order.paid["payment_ref"] for order in self.buyers.orders.values()}

    def missed(self) -> Iterator[str]:
        """What nobody happened to do, without which the run proves less than it says."""
        orders = self.buyers.orders.values()
        if not any(order.status == "cancelled" and len(order.pieces) > 1 for order in orders):
            yield "no order of several products was cancelled"
        if not any(bid.status == 201 and not bid.told["leading"] for bid in self.bidders.bids):
            yield "nobody was outbid at once"

    def counts(self) -> dict[str, object]:
        """Figures for the report."""
        orders = self.buyers.orders.values()
        return {
            "checkouts": dict(Counter(sale.outcome for sale in self.buyers.sales)),
            "orders": dict(Counter(order.status for order in orders)),
            "bids": dict(Counter(bid.outcome for bid in self.bidders.bids)),
            "products": f"{len(self.shelf.things)}, looked at {self.shelf.reads} times",
            "calls of the market": dict(self.asking.seen),
        }
