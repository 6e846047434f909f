"""Auctions in process, over a real database, with the real stock, funds and orders: one process, or several."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.contexts.auctions.application.asked import BidRequest, BuyRequest
from app.contexts.auctions.application.browse import Seen
from app.contexts.auctions.application.buy_now import BuyNow
from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.application.close_auction import CloseAuction
from app.contexts.auctions.application.close_due import CloseDue, CloseTerms
from app.contexts.auctions.application.closing_steps import BeginCancel
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.application.open_auction import GiveUpOpening, OpenAuction
from app.contexts.auctions.application.place_bid import PlaceBid
from app.contexts.auctions.application.recover import Recover
from app.contexts.auctions.application.recover import Terms as BidTerms
from app.contexts.auctions.container import AuctionsContainer
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.ids import BidId
from app.contexts.auctions.domain.opening import Terms
from app.contexts.catalog.public import ProductId
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.principal import Principal, Role
from app.main.contexts import load
from app.main.house import House as Rooms
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.process.uuid7 import uuid7
from tests.fakes.people import FakePeople
from tests.ordering.fates import Fate, Mortal
from tests.ordering.market import Market, market_over

CONTEXTS = "funds,payments,catalog,ordering,auctions"
HOUR = timedelta(hours=1)


@dataclass
class Process:
    """What one process has of auctions."""

    container: AuctionsContainer
    people: FakePeople
    noted: list[tuple[Any, object, Exception | None]] = field(default_factory=list)

    def open(self, fate: Fate | None = None) -> OpenAuction:
        """The use case, by that fate."""
        c, fate = self.container, fate or Fate()
        openings, stock = Mortal(c.openings(), fate), Mortal(c.catalog.stock(), fate)
        house = c.settings().house
        return OpenAuction(openings, c.catalog.offers(), stock, GiveUpOpening(openings, stock), house, uuid7)

    def place(self) -> PlaceBid:
        """Bidding."""
        return PlaceBid(self.container.steps().submit, self.container.funds.funds())

    def close(self, fate: Fate | None = None) -> CloseAuction:
        """Closing."""
        c, fate = self.container, fate or Fate()
        take, funds = fate.of("step", c.steps().submit), Mortal(c.funds.funds(), fate)
        sales = Mortal(c.ordering.sales(directory=self.people), fate)
        clean_up = CleanUp(take, funds)
        return CloseAuction(take, clean_up, c.calendar(), Mortal(c.catalog.stock(), fate), funds, sales)

    def buy(self, fate: Fate | None = None) -> BuyNow:
        """Buying at once."""
        c, fate = self.container, fate or Fate()
        return BuyNow(fate.of("step", c.steps().submit), Mortal(c.funds.funds(), fate), self.close(fate))

    def closer(self, older_than_s: float = 0.0, every_s: float = 1.0, limit: int = 64) -> CloseDue:
        """A worker."""
        c = self.container
        terms = CloseTerms(older_than_s, lease_s=0.0, limit=limit)
        give_up = GiveUpOpening(c.openings(), c.catalog.stock())
        return CloseDue(
            c.due_auctions(), self.people, self.close(), give_up, terms=terms, every_s=every_s, observe=self._note
        )

    async def recover(self, older_than_s: float = 0.0) -> None:
        """One round of all that recovery does of auctions."""
        c = self.container
        await self.closer(older_than_s).round()
        terms = BidTerms(older_than_s, older_than_s, lease_s=0.0, limit=64)
        await Recover(c.due(), self.people, c.clean_up(), terms=terms, every_s=1.0, observe=self._note).round()
        assert [error for *_, error in self.noted if error] == []

    def _note(self, kind: object, what: object, error: Exception | None) -> None:
        self.noted.append((kind, what, error))


@dataclass
class Hall:
    """A market with auctions."""

    market: Market
    here: Process = field(init=False)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def process(self, stack: AsyncExitStack | None = None, /, **settings: str) -> Process:
        """Another process, until the stack ends, or else the test."""
        rooms = Rooms(load({"DATABASE_URL": self.market.urls.app_url, "CONTEXTS": CONTEXTS} | settings, {}))
        process = Process(rooms.container("auctions"), self.market.people)
        process.buy(), process.open(), process.closer(), process.container.listings(), process.container.due()
        for pool in await rooms.open(stack or self.stack):
            await pool.wait()
        return process

    async def test_ends(self) -> None:
        """What the test has begun ends with it."""
        await self.stack.aclose()

    def seller(self) -> Principal:
        """Somebody who sells."""
        return self.market.people.user(role=Role.SELLER).principal

    async def lamp(self, seller: Principal, pieces: int = 1) -> UUID:
        """Something of theirs."""
        return await self.market.product(pieces, seller=UserId(seller.id))

    async def opened(
        self, seller: Principal | None = None, *, starting: int = 100, reserve: int | None = None,
        buy_now: int | None = None, lasts: timedelta = HOUR, fate: Fate | None = None, lamp: UUID | None = None,
    ) -> Auction:  # fmt: skip
        """An auction of a lamp, which is live."""
        seller = seller or self.seller()
        terms = await self.terms(seller, starting, reserve, buy_now, lasts, lamp)
        seen: Seen = await self.here.open(fate)(seller, terms, None)
        return seen.auction

    async def terms(
        self, seller: Principal, starting: int = 100, reserve: int | None = None, buy_now: int | None = None,
        lasts: timedelta = HOUR, lamp: UUID | None = None,
    ) -> Terms:  # fmt: skip
        """What is said of one."""
        return Terms(
            product_id=ProductId(lamp or await self.lamp(seller)),
            currency=Currency("USD"),
            starting_price_minor=starting,
            reserve_price_minor=reserve,
            buy_now_price_minor=buy_now,
            starts_at=None,
            ends_at=datetime.now(UTC) + lasts,
        )

    async def bid(self, auction: Auction, bidder: UserId, amount: int, most: int | None = None) -> Decided:
        """Bid, and see to what that leaves."""
        request = BidRequest(
            tenant_id=auction.tenant_id,
            auction_id=auction.id,
            bidder=bidder,
            key=uuid4().hex,
            fingerprint=b"bid",
            bid_id=BidId(uuid7()),
            amount_minor=amount,
            max_minor=amount if most is None else most,
        )
        decided = await self.here.place()(request, soon())
        await self.here.container.clean_up()(decided.leftovers)
        return decided

    def purchase(self, auction: Auction, buyer: UserId, key: str = "key") -> BuyRequest:
        """A request to buy, as each request of a client's is: with an id of its own."""
        return BuyRequest(
            tenant_id=auction.tenant_id,
            auction_id=auction.id,
            bidder=buyer,
            key=key,
            fingerprint=b"buy",
            bid_id=BidId(uuid7()),
        )

    async def buy(self, auction: Auction, buyer: UserId, key: str = "key", fate: Fate | None = None) -> Decided:
        """Buy at once, and see to what that leaves."""
        decided = await self.here.buy(fate)(self.purchase(auction, buyer, key), soon())
        await self.here.container.clean_up()(decided.leftovers)
        return decided

    def cancelling(self, auction: Auction, by: UserId | None = None, *, by_admin: bool = True) -> BeginCancel:
        """Somebody wants it to be called off."""
        return BeginCancel(tenant_id=auction.tenant_id, auction_id=auction.id, by=by, by_admin=by_admin)

    async def pass_time(self, auction: Auction, by: timedelta) -> None:
        """Let it, and whatever was bid, be that much longer ago."""
        await self.market.all(
            "UPDATE auctions.auctions SET starts_at = starts_at - %s, planned_end = planned_end - %s,"
            " ends_at = ends_at - %s WHERE id = %s",
            by, by, by, auction.id,
        )  # fmt: skip
        await self.market.all(
            "UPDATE auctions.bids SET created_at = created_at - %s, ends_at = ends_at - %s WHERE auction_id = %s",
            by, by, auction.id,
        )  # fmt: skip

    async def stands(self, auction: Auction) -> Auction:
        """The auction as it stands."""
        seen = await self.here.container.listings().one(auction.tenant_id, auction.id)
        assert seen is not None
        return seen.auction

    async def events(self, auction: Auction) -> list[tuple[str, int]]:
        """What watchers, and the world, are told of it."""
        query = "SELECT 'auction.' || type, event_id FROM auctions.events WHERE auction_id = %s ORDER BY event_id"
        told = [(type_, event_id) for type_, event_id in await self.market.all(query, auction.id)]
        query = "SELECT type, sequence FROM auctions.outbox_events WHERE subject = %s ORDER BY sequence"
        assert [(type_, sequence) for type_, sequence in await self.market.all(query, auction.id)] == told
        return told

    async def left(self) -> int:
        """How many openings, intents and returns nobody has finished."""
        ((count,),) = await self.market.all(
            "SELECT (SELECT count(*) FROM auctions.openings) + (SELECT count(*) FROM auctions.intents)"
            " + (SELECT count(*) FROM auctions.returns)"
        )
        assert isinstance(count, int)
        return count


def soon() -> float:
    """A time of the loop by which anything is done."""
    return asyncio.get_running_loop().time() + 600


def code_of(decided: Decided) -> str:
    """How a request ended: the code of the refusal, or the status."""
    return str(decided.answered.answer.status) if decided.refusal is None else decided.refusal.code


@asynccontextmanager
async def hall_over(urls: Urls, server: PostgresServer, **settings: str) -> AsyncIterator[Hall]:
    """The market with auctions over a database of the server, with one process."""
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(market_over(urls, server))
        hall = Hall(market)
        hall.here = await hall.process(stack, **settings)
        yield hall
