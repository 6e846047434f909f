"""All who are there beside those who pay: people who move money, a market, visitors, and a scale; with what is looked
at in the end."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import uuid4

from app.kernel.principal import Role
from tests.system.e2e.crowd import let_in
from tests.system.soak import auctioned, freshness, moved, refunders, sold
from tests.system.soak.bidders import BIDDERS, FUNDED
from tests.system.soak.books import Books, Check
from tests.system.soak.faults import Fault
from tests.system.soak.fleet import Fleet
from tests.system.soak.listener import Listener
from tests.system.soak.load import Wallet
from tests.system.soak.market import SELLERS, Market
from tests.system.soak.moves import HTTP, Account
from tests.system.soak.people import People
from tests.system.soak.records import History
from tests.system.soak.refunders import Refunders
from tests.system.soak.servers import Servers
from tests.system.soak.visitors import Visitors, log_ins

ASKERS = 16
REPLAYS = 1_000
PATIENCE_S = 60.0
"""In which what was asked for becomes known, on a machine of its own; see `Fleet.patience`."""


class Town:
    """They are there from `open` to `close`, and at work meanwhile."""

    def __init__(
        self,
        fleet: Fleet,
        servers: Servers,
        owned: Sequence[Wallet],
        people: People,
        refunders: Refunders,
        market: Market,
        seed: int,
    ) -> None:
        self.people = people
        self.refunders = refunders
        self.market = market
        self.visitors = Visitors(fleet.apis, seed)
        self.scale = moved.Scale(fleet)
        self._fleet = fleet
        self._servers = servers
        self._owned = owned

    @classmethod
    async def open(cls, fleet: Fleet, servers: Servers, owned: Sequence[Wallet], paid: History, seed: int) -> "Town":
        """Let in those who have wallets, somebody who pays in and gives back what was paid, and sellers."""
        settings, patience_s = fleet.environment_of_settings(), fleet.patience(PATIENCE_S)
        crowd = await let_in(settings, sorted({wallet.user_id for wallet in owned}))
        (cashier,) = await let_in(settings, [uuid4()], role=Role.ADMIN)
        sellers = await let_in(settings, [uuid4() for _ in range(SELLERS + 1)], role=Role.SELLER)
        bidders = await let_in(settings, [uuid4() for _ in range(BIDDERS)], FUNDED)
        people = People(fleet.apis, fleet.teller_ports, crowd, owned, cashier, seed, patience_s)
        giving = Refunders(fleet.apis, paid, cashier, seed, patience_s)
        market = Market(fleet.apis, crowd, owned, sellers, bidders, cashier, seed, patience_s)
        await market.open()
        return cls(fleet, servers, owned, people, giving, market, seed)

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        weighing = asyncio.create_task(self.scale.run())
        try:
            await asyncio.gather(
                self.people.run(stop), self.refunders.run(stop), self.market.run(stop), self.visitors.run(stop)
            )
            await self.market.at_last()
        finally:
            weighing.cancel()
            await asyncio.wait({weighing})

    async def close(self) -> None:
        """Close the connections."""
        await self.people.close()
        await self.refunders.close()
        await self.market.close()
        await self.visitors.close()

    async def replay(self) -> None:
        """Have the oldest and the newest moves asked for once more: everybody is told the same again."""
        await self.market.replay()
        await self.refunders.replay()
        half, moves = REPLAYS // 2, self.people.moves
        slots = asyncio.Semaphore(ASKERS)

        async def again(number: int) -> None:
            move = moves[number]
            async with slots:
                before = move.replays
                await self.people.insist(move, number)
            if move.what in HTTP and move.replays == before:
                self.people.complaints.append(f"{move.name}: answered again without Idempotent-Replayed")

        await asyncio.gather(*map(again, {*range(len(moves))[:half], *range(len(moves))[-half:]}))

    def effects(self) -> Counter[Account]:
        """What all of it did to what people can spend, by what they were told."""
        ((house,),) = self._servers.query("SELECT house_user_id::text FROM identity.tenants")
        total = self.people.effects()
        total.update(self.refunders.effects())
        total.update(self.market.effects(house))
        return total

    def checks(self, books: Books, listener: Listener, faults: Sequence[Fault]) -> Iterator[Check]:
        """What is looked at in the end."""
        people, fleet, servers, market = self.people, self._fleet, self._servers, self.market
        yield "a move has one outcome, whoever asks, and its bytes again", lambda: moved.contradictions(people)
        yield (
            "people have what they were told",
            (lambda: moved.wallets(fleet, books, self._owned, self.effects(), market.held())),
        )
        yield "a refund has one outcome, and never more is given back than was paid", self.refunders.contradictions
        yield "refunds are in the books as they were told", lambda: refunders.booked(fleet, self.refunders)
        yield "the gateway gave back what the books say it did", lambda: refunders.given_back(fleet)
        yield "refunds are told in order, and audited once", lambda: refunders.events(fleet, listener)
        yield "what was told of is in the books, and nothing else is", lambda: moved.done(fleet, people, market.holds())
        yield "the sum of wallets, holds and payments never moved", lambda: moved.weighed(self.scale)
        yield "transfers sum to zero, and nothing is held for ever", lambda: moved.between_users(fleet)
        yield "transfers and holds are told in order, and audited once", lambda: moved.events(fleet, listener)
        yield "a checkout has one outcome, and so has an order, whoever asks", lambda: sold.contradictions(market)
        yield (
            "orders stand where their people were told, all of a checkout's or none",
            (lambda: sold.orders(servers, market)),
        )
        yield (
            "pieces sold and left are those put in, and none is reserved for ever",
            lambda: sold.pieces(servers, market),
        )
        yield "products and orders are told in order, and audited once", lambda: sold.events(servers, listener)
        yield "a bid has one outcome, and an auction one end", lambda: auctioned.contradictions(market.bidders)
        yield (
            "bids are those that were told to count, in their places, and everybody has the money back",
            lambda: auctioned.bids(servers, market.bidders),
        )
        yield "auctions are told in order, and audited once", lambda: auctioned.events(servers, listener)
        yield "an order's first event says what its buyer was told", lambda: sold.told(servers, market)
        yield "what was shown of products can be", market.shelf.all_complaints
        yield (
            "who reads after a write was answered sees it",
            (lambda: freshness.stale(market.shelf, faults, fleet.patience(1.0))),
        )
        yield "a nonce lets in once, a log-in has one head", lambda: log_ins(servers, self.visitors)

    def counts(self) -> dict[str, object]:
        """Figures for the report."""
        return {
            "moves": dict(moved.outcomes(self.people.moves)),
            "calls for moves": sum(move.calls for move in self.people.moves),
            "moves told again": sum(len(move.finals) - 1 for move in self.people.moves if move.finals),
            "refunds": dict(self.refunders.counts()),
            **self.market.counts(),
            "log-ins": dict(self.visitors.seen),
            "weighed": f"{self.scale.looks} times",
        }
