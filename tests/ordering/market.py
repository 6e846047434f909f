"""The market in process, over a real database, with the real stock and the real funds: one, or several side by side."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.contexts.funds.public import Done
from app.contexts.ordering.application.asked import CheckoutRequest
from app.contexts.ordering.application.check_out import CheckOut
from app.contexts.ordering.application.close_order import CloseOrder
from app.contexts.ordering.application.end_checkout import EndCheckout
from app.contexts.ordering.application.houses import Houses
from app.contexts.ordering.application.recover import Kind, Recover, Terms
from app.contexts.ordering.container import OrderingContainer
from app.contexts.ordering.domain.ids import CheckoutId
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House as Rooms
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answered
from app.platform.process.uuid7 import uuid7
from tests.fakes.people import FakePeople
from tests.ordering.fates import Fate, Mortal

CONTEXTS = "funds,payments,catalog,ordering"


@dataclass
class Process:
    """What one process has of the market."""

    container: OrderingContainer
    people: FakePeople
    noted: list[tuple[Kind, object, Exception | None]] = field(default_factory=list)

    def check_out(self, fate: Fate | None = None) -> CheckOut:
        """The use case, by that fate."""
        c, houses = self.container, Houses(self.people)
        if fate is None:
            return c.check_out(houses=houses)
        stock, funds = Mortal(c.catalog.stock(), fate), Mortal(c.funds.funds(), fate)
        begin, place = fate.of("begin", c.begin().submit), fate.of("place", c.place().submit)
        return CheckOut(begin, stock, place, funds, self.end(fate), houses)

    def end(self, fate: Fate | None = None) -> EndCheckout:
        """How a checkout is ended, and decided."""
        c = self.container
        if fate is None:
            return c.end_checkout()
        stock, funds = Mortal(c.catalog.stock(), fate), Mortal(c.funds.funds(), fate)
        return EndCheckout(stock, funds, fate.of("conclude", c.conclude().submit))

    def close(self, fate: Fate | None = None) -> CloseOrder:
        """Shipping, cancelling and completing."""
        c = self.container
        if fate is None:
            return c.close_order()
        stock, funds = Mortal(c.catalog.stock(), fate), Mortal(c.funds.funds(), fate)
        return CloseOrder(fate.of("step", c.steps().submit), stock, funds)

    async def recover(self, older_than_s: float = 0.0, ship_d: int = 14, complete_d: int = 14) -> None:
        """One round of a recovery worker."""
        terms = Terms(older_than_s, ship_d, complete_d, lease_s=0.0, limit=64)
        worker = Recover(
            self.container.due(), self.people, self.end(), self.close(), terms=terms, every_s=1.0,
            observe=lambda kind, what, error: self.noted.append((kind, what, error)),
        )  # fmt: skip
        await worker.round()
        assert [error for *_, error in self.noted if error] == []


@dataclass
class Market:
    """The database under it, and whoever lives there. `owner` is somebody whom no policy holds."""

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

    @property
    def house(self) -> UserId:
        """Whom the tenant's fees are booked to."""
        return self.people.houses[0].house_user_id

    async def process(self, stack: AsyncExitStack | None = None, /, **settings: str) -> Process:
        """Another process, until the stack ends, or else the test."""
        rooms = Rooms(load({"DATABASE_URL": self.urls.app_url, "CONTEXTS": CONTEXTS} | settings, {}))
        process = Process(rooms.container("ordering"), self.people)
        process.check_out(), process.close(), process.container.carts(), process.container.due()
        for pool in await rooms.open(stack or self.stack):
            await pool.wait()
        return process

    async def test_ends(self) -> None:
        """What the test has begun ends with it."""
        await self.stack.aclose()

    async def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the query finds, in all tenants."""
        cursor = await self.owner.execute(query.encode(), values or None)
        return await cursor.fetchall() if cursor.description is not None else []

    async def product(self, quantity: int = 3, *, price: int = 1_250, seller: UserId | None = None,
                      currency: str = "USD") -> UUID:  # fmt: skip
        """Something that is for sale."""
        product_id = uuid4()
        await self.all(
            "INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, title, description, condition, price,"
            " currency, quantity, put_in, images, specifications, shipping_info, featured, is_active, created_at,"
            " updated_at) VALUES (%s, %s, %s, %s, 'a lamp', '', 'new', %s, %s, %s, %s, '{}', '{}', '{}', false, true,"
            " now(), now())",
            product_id.int & 15, self.tenant, product_id, seller or uuid4(), price, currency, quantity, quantity,
        )  # fmt: skip
        return product_id

    async def buyer(self, balance: int = 0, wanted: Mapping[UUID, int] | None = None, currency: str = "USD") -> UserId:
        """Somebody with money, and something in the cart."""
        buyer = UserId(uuid4())
        if balance:
            await self.pay_in(buyer, balance, currency)
        if wanted:
            await self.fill(buyer, wanted, currency)
        return buyer

    async def pay_in(self, user: UserId, amount: int, currency: str = "USD") -> None:
        """Give somebody money."""
        funds = self.here.container.funds.funds()
        operation, money = OperationId("tests", uuid4(), "pay"), Money(amount, Currency(currency))
        assert isinstance(await funds.credit(operation, self.tenant, user, money), Done)

    async def fill(self, buyer: UserId, wanted: Mapping[UUID, int], currency: str = "USD") -> None:
        """Put things into somebody's new cart."""
        cart, bucket = uuid4(), buyer.int & 15
        await self.all(
            "INSERT INTO ordering.carts (bucket, tenant_id, user_id, id, currency, status, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, 'active', now(), now())",
            bucket, self.tenant, buyer, cart, currency,
        )  # fmt: skip
        for product_id, qty in wanted.items():
            await self.all(
                "INSERT INTO ordering.cart_items (bucket, tenant_id, user_id, cart_id, id, product_id, title, price,"
                " qty, created_at) VALUES (%s, %s, %s, %s, %s, %s, 'a lamp', 7, %s, now())",
                bucket, self.tenant, buyer, cart, uuid4(), product_id, qty,
            )  # fmt: skip

    def request(self, buyer: UserId, total: int, key: str = "key") -> CheckoutRequest:
        """A request to check out, as each request of a client's is: with an id of its own."""
        return CheckoutRequest(self.tenant, buyer, key, f"{total}".encode(), CheckoutId(uuid7()), total)

    async def stands(self, product_id: UUID) -> tuple[int, int, int]:
        """Of a product what is left, what of it is reserved, and what is sold."""
        ((left, reserved, sold),) = await self.all(
            "SELECT quantity, reserved, sold FROM catalog.products WHERE id = %s", product_id
        )
        return left, reserved, sold

    async def wallet(self, user: UserId) -> tuple[int, int]:
        """What somebody can spend, and what is set aside."""
        rows = await self.all("SELECT current_balance, held FROM wallet_balances WHERE user_id = %s", user)
        return (rows[0][0], rows[0][1]) if rows else (0, 0)

    async def orders(self, buyer: UserId) -> list[tuple[str, int]]:
        """Somebody's orders: where they stand, and what they cost."""
        return [
            (status, total)
            for status, total in await self.all(
                "SELECT status, total FROM ordering.orders WHERE user_id = %s ORDER BY id", buyer
            )
        ]

    async def cart(self, buyer: UserId) -> list[tuple[str, bool]]:
        """Somebody's carts: where they stand, and whether one is being checked out."""
        return [
            (status, is_checked_out)
            for status, is_checked_out in await self.all(
                "SELECT status, checkout_id IS NOT NULL FROM ordering.carts WHERE user_id = %s ORDER BY created_at",
                buyer,
            )
        ]

    async def key(self, buyer: UserId, key: str = "key") -> list[tuple[int | None, bytes | None]]:
        """What is stored under somebody's key."""
        return [
            (status, body)
            for status, body in await self.all(
                "SELECT response_status, response_body FROM v1_idempotency_keys WHERE user_id = %s AND key = %s",
                buyer, key,
            )
        ]  # fmt: skip

    async def events(self, buyer: UserId) -> list[tuple[str, int]]:
        """What is told of somebody's orders."""
        query = "SELECT type, sequence FROM ordering.outbox_events WHERE user_id = %s ORDER BY id"
        return [(type_, sequence) for type_, sequence in await self.all(query, buyer)]


@asynccontextmanager
async def market_over(urls: Urls, server: PostgresServer, **settings: str) -> AsyncIterator[Market]:
    """The market over a database of the server, with one process."""
    async with AsyncExitStack() as stack:
        url = server.url(str(conninfo_to_dict(urls.app_url)["dbname"]))
        owner = await psycopg.AsyncConnection.connect(url, autocommit=True)
        stack.push_async_callback(owner.close)
        market = Market(urls, owner, FakePeople())
        market.here = await market.process(stack, **settings)
        yield market


async def try_out(check_out: CheckOut, request: CheckoutRequest) -> Answered | Exception:
    """What a request gets."""
    deadline = asyncio.get_running_loop().time() + 600
    try:
        return await check_out(request, deadline)
    except Exception as error:
        return error


def code_of(result: Answered | Exception) -> str:
    """How it ended: the code of the refusal, or the status."""
    if isinstance(result, Answered):
        body = result.answer.body.decode()
        return "paid" if result.answer.status == 201 else body.split('"code":"')[1].split('"')[0]
    return str(getattr(result, "code", type(result).__name__))


def sorted_codes(results: Sequence[Answered | Exception]) -> Mapping[str, int]:
    """How often each end was met."""
    counts: dict[str, int] = {}
    for result in results:
        counts[code_of(result)] = counts.get(code_of(result), 0) + 1
    return counts
