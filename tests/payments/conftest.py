"""One suite over the fake and over PostgreSQL: a fake counts only if it passes what the real thing passes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.funds.adapters.postgres.fundings import PostgresFundingBooks
from app.contexts.funds.adapters.postgres.wallets import PostgresWalletReader
from app.contexts.funds.application.fund import Fund
from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.contexts.payments.adapters.postgres.keys import PostgresKeys
from app.contexts.payments.adapters.postgres.pending import PostgresPendingPayments
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.application.reserve import Reserve, Reserved
from app.contexts.payments.application.settle import Mark, Settle
from app.contexts.payments.domain.ids import ProviderId
from app.contexts.payments.domain.payment import Payment
from app.kernel.ids import UserId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.postgres.pool import Pool, make_pool
from app.platform.postgres.reads import SharedReads
from app.platform.process.uuid7 import uuid7
from tests.api_fixtures import api, client, logged, transport
from tests.builders import PlainAnswers, money, payment_request, provider_id, user_id
from tests.fakes.books import FakeBooks, FakeReader
from tests.fakes.funding_books import FakeFundingBooks
from tests.fakes.unsteady_books import UnsteadyBooks
from tests.payments.refunding import Counter, counter_over, mock_gateway


class House:
    """The books with all that reads them, and what a test does around them."""

    books: Any
    reader: Any
    keys: Any
    pending: Any
    funding_books: Any

    async def add_provider(self, *, active: bool = True) -> ProviderId:
        raise NotImplementedError

    async def pass_time(self, seconds: float) -> None:
        raise NotImplementedError

    async def payment(self, payment: Payment) -> Payment:
        """The payment as it stands."""
        async with self.books.begin() as work:
            held = await work.hold([payment], [])
        found = held.payments[payment.id]
        assert isinstance(found, Payment)
        return found

    async def events(self, user: UserId) -> list[tuple[str, int]]:
        raise NotImplementedError

    async def entries(self, user: UserId) -> list[int]:
        """Every entry's amount."""
        raise NotImplementedError

    async def funded(self, balance_minor: int = 10_000) -> UserId:
        """A new user with a wallet."""
        user = user_id()
        await self.fund(user, money(balance_minor), None)
        return user

    async def request(self, balance_minor: int = 10_000, **overrides: Any) -> PaymentRequest:
        """A request that can be paid."""
        if "user_id" not in overrides:
            overrides["user_id"] = await self.funded(balance_minor)
        if "provider_id" not in overrides:
            overrides["provider_id"] = await self.add_provider()
        return payment_request(**overrides)

    async def reserved(self, **overrides: Any) -> Payment:
        """A payment that was just reserved, of such a request."""
        (result,) = await self.reserve([await self.request(**overrides)])
        assert isinstance(result, Reserved)
        return result.payment

    async def balance(self, user: UserId) -> int:
        (balance,) = await self.reader.balances(user)
        return int(balance.current_balance)

    def reserve_over(self, books: Any) -> Reserve:
        return Reserve(books, PlainAnswers(), uuid7)

    def settle_over(self, books: Any) -> Settle:
        return Settle(books, PlainAnswers(), uuid7)

    def unsteady(self, *fates: Any) -> UnsteadyBooks:
        return UnsteadyBooks(self.books, *fates)

    @property
    def reserve(self) -> Reserve:
        return self.reserve_over(self.books)

    @property
    def settle(self) -> Settle:
        return self.settle_over(self.books)

    @property
    def mark(self) -> Mark:
        return Mark(self.books, PlainAnswers())

    @property
    def fund(self) -> Any:
        return Fund(self.funding_books, uuid7).fund


class FakeHouse(House):
    def __init__(self) -> None:
        self.books = self.keys = self.pending = FakeBooks()
        self.reader = FakeReader(self.books)
        self.funding_books = FakeFundingBooks(self.books)

    async def add_provider(self, *, active: bool = True) -> ProviderId:
        provider = provider_id()
        self.books.providers[provider] = active
        return provider

    async def pass_time(self, seconds: float) -> None:
        self.books.clock.advance(seconds)

    async def events(self, user: UserId) -> list[tuple[str, int]]:
        return [(e.type.value, e.sequence) for e in self.books.events if e.payment.user_id == user]

    async def entries(self, user: UserId) -> list[int]:
        mine = [t for t in self.books.transactions.values() if t.user_id == user]
        return [entry.amount_minor for transaction in mine for entry in transaction.entries]


@dataclass
class PostgresHouse(House):
    pool: Pool
    owner: psycopg.AsyncConnection[Any]

    def __post_init__(self) -> None:
        self.books = PostgresBooks(self.pool)
        reads = SharedReads(self.pool)
        self.reader, self.keys = PostgresWalletReader(reads, PAYMENT_QUERIES), PostgresKeys(reads)
        self.funding_books = PostgresFundingBooks(self.pool, PAYMENT_QUERIES)
        self.pending = PostgresPendingPayments(self.pool)

    async def add_provider(self, *, active: bool = True) -> ProviderId:
        provider = provider_id()
        insert = "INSERT INTO service_providers (id, name, is_active) VALUES (%s, 'test', %s)"
        await self.owner.execute(insert, (provider, active))
        return provider

    async def pass_time(self, seconds: float) -> None:
        """Everything happened that much earlier."""
        for table, columns in (
            ("payments", ("created_at", "recover_after")),
            ("idempotency_keys", ("created_at", "finalized_at")),
        ):
            moved = ", ".join(f"{c} = {c} - make_interval(secs => {seconds})" for c in columns)
            await self.owner.execute(f"UPDATE {table} SET {moved}".encode())

    async def events(self, user: UserId) -> list[tuple[str, int]]:
        query = "SELECT type, sequence FROM outbox_events WHERE user_id = %s ORDER BY id"
        rows = await self.owner.execute(query, (user,))
        return [(kind, sequence) for kind, sequence in await rows.fetchall()]

    async def entries(self, user: UserId) -> list[int]:
        rows = await self.owner.execute("SELECT amount FROM ledger_entries WHERE user_id = %s", (user,))
        return [amount for (amount,) in await rows.fetchall()]


@asynccontextmanager
async def open_house(database: Urls, **session: int | str) -> AsyncIterator[PostgresHouse]:
    """The books in a database, as the services' own role sees them. `session` are settings of PostgreSQL."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(make_pool(database.app_url, "contract", 6, **session))
        await pool.wait()
        owner = await psycopg.AsyncConnection.connect(database.owner_url, autocommit=True)
        await stack.enter_async_context(owner)
        yield PostgresHouse(pool, owner)


@pytest.fixture
async def postgres_house(module_database: Urls) -> AsyncIterator[PostgresHouse]:
    """The books in PostgreSQL."""
    async with open_house(module_database) as house:
        yield house


@pytest.fixture
async def patient_house(module_database: Urls, patient_locks: None) -> AsyncIterator[PostgresHouse]:
    """The same for those who wait for one another's locks, for as long as a busy machine takes."""
    async with open_house(module_database) as house:
        yield house


@pytest.fixture(params=["fake", "postgres"])
def house(request: pytest.FixtureRequest) -> House:
    """The books, once in memory and once in PostgreSQL."""
    if request.param == "fake":
        return FakeHouse()
    found = request.getfixturevalue("patient_house")
    assert isinstance(found, House)
    return found


__all__ = ["api", "client", "logged", "transport"]


@pytest.fixture(scope="module")
def superuser_of(module_database: Urls, postgres_server: PostgresServer) -> str:
    """The module's database, as somebody sees it whom no grant holds."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


@pytest.fixture(scope="module")
def opened_counter(module_database: Urls, superuser_of: str, patient_pools: None) -> Iterator[Counter]:
    """The API over a database, before a gateway, which the tests of a file share."""
    with mock_gateway() as gateway, counter_over(module_database, superuser_of, gateway) as counter:
        yield counter


@pytest.fixture
def counter(opened_counter: Counter) -> Iterator[Counter]:
    """The counter, before a gateway that works."""
    opened_counter.mode("happy")
    yield opened_counter
    opened_counter.mode("happy")
