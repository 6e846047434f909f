"""Auctions in process, over a real database, with the real funds: one process, or several side by side."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.contexts.auctions.application.asked import BidRequest
from app.contexts.auctions.application.clean_up import CleanUp
from app.contexts.auctions.application.decisions import Decided
from app.contexts.auctions.application.place_bid import PlaceBid
from app.contexts.auctions.application.recover import Kind, Recover, Terms
from app.contexts.auctions.container import AuctionsContainer
from app.contexts.auctions.domain.ids import AuctionId, BidId
from app.contexts.funds.public import Done
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House as Rooms
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.process.uuid7 import uuid7
from tests.auctions.hall import CONTEXTS
from tests.fakes.people import FakePeople
from tests.ordering.fates import Fate, Mortal

LATE = 1e12
"""A time of the loop that does not come."""


@dataclass
class Process:
    """What one process has of auctions."""

    container: AuctionsContainer
    people: FakePeople
    noted: list[tuple[Kind, object, Exception | None]] = field(default_factory=list)

    def place_bid(self, fate: Fate | None = None) -> PlaceBid:
        """The use case, by that fate."""
        c, fate = self.container, fate or Fate()
        return PlaceBid(fate.of("step", c.steps().submit), Mortal(c.funds.funds(), fate))

    def clean_up(self, fate: Fate | None = None) -> CleanUp:
        """What comes behind an answer."""
        c, fate = self.container, fate or Fate()
        return CleanUp(fate.of("step", c.steps().submit), Mortal(c.funds.funds(), fate))

    async def bid(self, request: BidRequest, fate: Fate | None = None) -> Decided:
        """A bid, and all that it leaves to be done, as the API does it."""
        fate = fate or Fate()
        decided = await self.place_bid(fate)(request, LATE)
        await self.clean_up(fate)(decided.leftovers)
        return decided

    async def recover(self, older_than_s: float = 0.0) -> None:
        """One round of a recovery worker."""
        worker = Recover(
            self.container.due(), self.people, self.clean_up(),
            terms=Terms(older_than_s, older_than_s, lease_s=0.0, limit=64), every_s=1.0,
            observe=lambda kind, what, error: self.noted.append((kind, what, error)),
        )  # fmt: skip
        await worker.round()
        assert [error for *_, error in self.noted if error] == []


@dataclass
class AuctionHouse:
    """The database under it, and whoever bids there. `owner` is somebody whom no policy holds."""

    urls: Urls
    owner: psycopg.AsyncConnection[Any]
    people: FakePeople
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Whatever the processes have open that a test has begun."""
    here: Process = field(init=False)
    """The one that is there for all tests."""

    @property
    def tenant(self) -> TenantId:
        return self.people.tenant

    async def process(self, stack: AsyncExitStack | None = None, /, **settings: str) -> Process:
        """Another process, until the stack ends, or else the test."""
        rooms = Rooms(load({"DATABASE_URL": self.urls.app_url, "CONTEXTS": CONTEXTS} | settings, {}))
        process = Process(rooms.container("auctions"), self.people)
        process.place_bid(), process.container.due()
        for pool in await rooms.open(stack or self.stack):
            await pool.wait()
        return process

    async def test_ends(self) -> None:
        """What the test has begun ends with it."""
        await self.stack.aclose()

    async def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query finds, in all tenants."""
        cursor = await self.owner.execute(query.encode(), values or None)
        return await cursor.fetchall() if cursor.description else []

    async def auction(
        self, *, starting: int = 100, reserve: int | None = None, seller: UserId | None = None, starts_s: float = -60,
        ends_s: float = 3_600, extend_s: float = 120, steps: str = "0:5/100:25",
    ) -> AuctionId:  # fmt: skip
        """An auction as it is opened, with its first event. Times are seconds from now."""
        auction_id = AuctionId(uuid4())
        await self.all(
            "INSERT INTO auctions.auctions (bucket, tenant_id, id, seller_id, product_id, title, currency,"
            " starting_price, reserve_price, steps, extend_s, starts_at, planned_end, ends_at, status, price,"
            " bid_count, bidder_count, last_event_id, created_at, updated_at)"
            " SELECT %s, %s, %s, %s, gen_random_uuid(), 'a lamp', 'USD', %s, %s, %s, %s, now() + make_interval(secs =>"
            " %s), e, e, 'open', %s, 0, 0, 1, now(), now() FROM (SELECT now() + make_interval(secs => %s) AS e) e",
            auction_id.int & 15, self.tenant, auction_id, seller or uuid4(), starting, reserve, steps, extend_s,
            starts_s, starting, ends_s,
        )  # fmt: skip
        first = "INSERT INTO auctions.events VALUES (%s, %s, %s, 1, 'opened', '{}', now())"
        await self.all(first, auction_id.int & 15, self.tenant, auction_id)
        await self.all(
            "INSERT INTO catalog.reservations (bucket, tenant_id, business_id, context, name, fingerprint, forbidden,"
            " pinned, created_at) VALUES (%s, %s, %s, 'auctions', 'reserve', '', false, true, now())",
            auction_id.int & 15, self.tenant, auction_id,
        )  # fmt: skip
        await self.all(
            "INSERT INTO catalog.reservation_lines (bucket, tenant_id, business_id, context, name, product_id, qty,"
            " status, seller_id, title, price, currency) SELECT bucket, tenant_id, id, 'auctions', 'reserve',"
            " product_id, 1, 'RESERVED', seller_id, title, starting_price, currency FROM auctions.auctions"
            " WHERE id = %s",
            auction_id,
        )  # fmt: skip
        return auction_id

    async def pass_time(self, auction_id: AuctionId, seconds: float) -> None:
        """Let it, and whatever was bid, be that much longer ago."""
        for table, key, times in (
            ("auctions", "id", ("starts_at", "planned_end", "ends_at")),
            ("bids", "auction_id", ("created_at", "ends_at")),
        ):
            earlier = ", ".join(f"{time} = {time} - make_interval(secs => {float(seconds)})" for time in times)
            await self.all(f"UPDATE auctions.{table} SET {earlier} WHERE {key} = %s", auction_id)

    async def bidder(self, balance: int = 0) -> UserId:
        """Somebody with money."""
        user = UserId(uuid4())
        if balance:
            await self.pay_in(user, balance)
        return user

    async def pay_in(self, user: UserId, amount: int) -> None:
        """Give somebody money."""
        funds = self.here.container.funds.funds()
        operation, money = OperationId("tests", uuid4(), "pay"), Money(amount, Currency("USD"))
        assert isinstance(await funds.credit(operation, self.tenant, user, money), Done)

    def request(
        self, auction_id: AuctionId, bidder: UserId, amount: int, most: int | None = None, key: str | None = None
    ) -> BidRequest:
        """A request to bid, as each request of a client's is: with an id of its own."""
        most = most or amount
        return BidRequest(
            tenant_id=self.tenant,
            auction_id=auction_id,
            bidder=bidder,
            key=key or uuid4().hex,
            fingerprint=f"{auction_id} {amount} {most}".encode(),
            bid_id=BidId(uuid7()),
            amount_minor=amount,
            max_minor=most,
        )

    async def wallet(self, user: UserId) -> tuple[int, int]:
        """What somebody can spend, and what is set aside."""
        found = await self.all("SELECT current_balance, held FROM wallet_balances WHERE user_id = %s", user)
        return found[0] if found else (0, 0)

    async def stands(self, auction_id: AuctionId) -> tuple[int, int, UserId | None, int | None]:
        """Of an auction the bids, the price, who leads, and up to what."""
        ((bids, price, leader, most),) = await self.all(
            "SELECT bid_count, price, leader_id, leader_max FROM auctions.auctions WHERE id = %s", auction_id
        )
        return bids, price, leader, most

    async def nothing_is_left(self, auction_id: AuctionId) -> bool:
        """Whether nothing of it is half done, and nobody but the leader has anything set aside."""
        left = await self.all(
            "SELECT id::text FROM auctions.intents WHERE auction_id = %s"
            " UNION ALL SELECT hold_id::text FROM auctions.returns WHERE auction_id = %s"
            " UNION ALL SELECT 'raising' FROM auctions.auctions WHERE id = %s AND raising_bid_id IS NOT NULL",
            auction_id, auction_id, auction_id,
        )  # fmt: skip
        return left == []

    async def events(self, auction_id: AuctionId) -> list[tuple[str, int]]:
        """What is told of an auction, to watchers and to the world alike, its opening aside."""
        seen = await self.all(
            "SELECT 'auction.' || type, event_id FROM auctions.events"
            " WHERE auction_id = %s AND event_id > 1 ORDER BY event_id",
            auction_id,
        )
        of_the_world = "SELECT type, sequence FROM auctions.outbox_events WHERE subject = %s ORDER BY id"
        told = await self.all(of_the_world, auction_id)
        assert seen == told
        return [(type_, event_id) for type_, event_id in seen]

    async def key(self, request: BidRequest) -> list[tuple[UUID | None, int | None]]:
        """What is stored under a request's key: what it made, and the status."""
        find = "SELECT made_id, response_status FROM v1_idempotency_keys WHERE user_id = %s AND key = %s"
        return [(made, status) for made, status in await self.all(find, request.bidder, request.key)]


@asynccontextmanager
async def house_over(urls: Urls, server: PostgresServer, **settings: str) -> AsyncIterator[AuctionHouse]:
    """Auctions over a database of the server, with one process."""
    async with AsyncExitStack() as stack:
        url = server.url(str(conninfo_to_dict(urls.app_url)["dbname"]))
        owner = await psycopg.AsyncConnection.connect(url, autocommit=True)
        stack.push_async_callback(owner.close)
        house = AuctionHouse(urls, owner, FakePeople())
        house.here = await house.process(stack, **settings)
        yield house


async def try_out(process: Process, request: BidRequest) -> Decided | Exception:
    """What a request gets, and all that comes behind it."""
    try:
        return await process.bid(request)
    except Exception as error:
        return error


def code_of(result: Decided | Exception) -> str:
    """How it ended: the code of the refusal, or whether it leads."""
    if not isinstance(result, Decided):
        return str(getattr(result, "code", type(result).__name__))
    answer = result.answered.answer
    if answer.status != 201:
        return answer.body.decode().split('"code":"')[1].split('"')[0]
    return "leads" if b'"leading":true' in answer.body else "outbid"


async def all_at_once(process: Process, requests: Sequence[BidRequest]) -> list[str]:
    """How each of them ended."""
    return [code_of(result) for result in await asyncio.gather(*(try_out(process, each) for each in requests))]
