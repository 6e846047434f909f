"""What the repositories' calls take, at LOG_LEVEL=debug: wired instead of the repositories themselves, and only then.

A transaction is its first call, which begins it, to its `commit`, and is that of many payments: their ids tell it.
"""

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from uuid import UUID

import structlog
from dependency_injector import providers

from app.adapters.postgres.books import PostgresBooks
from app.adapters.postgres.pending import PostgresPendingPayments
from app.adapters.postgres.reading import PostgresReader
from app.application.ports import (
    Balance,
    Changes,
    Claimed,
    Held,
    KeyRecord,
    Opened,
    PaymentRequest,
    TransactionLine,
    Work,
)
from app.domain.ids import UserId
from app.domain.money import Currency
from app.domain.payments.payment import Payment
from app.main.container import Container

_log = structlog.get_logger(__name__)


def time_repositories(container: Container) -> None:
    """Let the container wire repositories that log how long each call took."""
    for repository, made in (
        (container.starting_books, providers.Singleton(TimedBooks, container.starting_pool)),
        (container.finishing_books, providers.Singleton(TimedBooks, container.finishing_pool)),
        (container.pending, providers.Singleton(TimedPending, container.upkeep_pool)),
        (
            container.reader,
            providers.Singleton(TimedReader, container.reading_pool, container.batches.provided.of.call("read")),
        ),
    ):
        repository.override(made)


@contextmanager
def _timed(repository: str, operation: str, **about: object) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        latency_ms = round((time.perf_counter() - began) * 1e3, 2)
        _log.debug("repository_call", repository=repository, operation=operation, **about, latency_ms=latency_ms)


class TimedBooks(PostgresBooks):
    """The books, with the calls of each work timed."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Work]:  # type: ignore[override] # the port, not what stands behind it
        """See `Books.begin`."""
        async with super().begin() as work:
            yield TimedWork(work)


class TimedWork:
    """A `Work` with its calls timed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._payments: list[UUID] = []

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """See `Work.claim`."""
        self._payments = [request.payment_id for request in requests]
        with _timed("books", "claim", payment_ids=self._payments):
            return await self._work.claim(requests)

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """See `Work.hold`."""
        self._payments = [payment.id for payment in payments]
        with _timed("books", "hold", payment_ids=self._payments):
            return await self._work.hold(payments, refundable)

    async def open(self, user_id: UserId, currency: Currency, reference: str | None) -> Opened:
        """See `Work.open`."""
        with _timed("books", "open", user_id=user_id):
            return await self._work.open(user_id, currency, reference)

    async def commit(self, changes: Changes) -> None:
        """See `Work.commit`."""
        with _timed("books", "commit", payment_ids=self._payments):
            await self._work.commit(changes)


class TimedReader(PostgresReader):
    """Reads of wallets and keys, timed from their being asked for: the wait for a round trip is inside."""

    async def balances(self, user_id: UserId) -> Sequence[Balance]:
        """See `WalletReader.balances`."""
        with _timed("wallets", "balances", user_id=user_id):
            return await super().balances(user_id)

    async def transactions(
        self, user_id: UserId, currency: Currency | None, before: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[TransactionLine]:
        """See `WalletReader.transactions`."""
        with _timed("wallets", "transactions", user_id=user_id):
            return await super().transactions(user_id, currency, before, limit)

    async def find(self, request: PaymentRequest) -> KeyRecord | None:
        """See `Keys.find`."""
        with _timed("keys", "find", user_id=request.user_id):
            return await super().find(request)


class TimedPending(PostgresPendingPayments):
    """Payments left PENDING, with the looks for them timed."""

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """See `PendingPayments.take`."""
        with _timed("pending", "take"):
            return await super().take(limit, older_than_s, lease_s)
