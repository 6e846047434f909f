"""What the repositories' calls take, at LOG_LEVEL=debug: wired instead of the repositories themselves.

A transaction is its first call, which begins it, to its `commit`, and is that of many payments: their ids tell it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from app.contexts.payments.adapters.postgres.books import PostgresBooks
from app.contexts.payments.adapters.postgres.keys import PostgresKeys
from app.contexts.payments.adapters.postgres.pending import PostgresPendingPayments
from app.contexts.payments.application.books import Changes, Claimed, Held, PaymentWork
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.domain.payment import Payment
from app.platform.idempotency.keys import KeyRecord
from app.platform.process.timings import timed


class TimedBooks(PostgresBooks):
    """The books, with the calls of each work timed."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PaymentWork]:  # type: ignore[override] # the port, not what stands behind it
        """See `PaymentBooks.begin`."""
        async with super().begin() as work:
            yield TimedWork(work)


class TimedWork:
    """A `PaymentWork` with its calls timed."""

    def __init__(self, work: PaymentWork) -> None:
        self._work = work
        self._payments: list[UUID] = []

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """See `PaymentWork.claim`."""
        self._payments = [request.payment_id for request in requests]
        with timed("books", "claim", payment_ids=self._payments):
            return await self._work.claim(requests)

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """See `PaymentWork.hold`."""
        self._payments = [payment.id for payment in payments]
        with timed("books", "hold", payment_ids=self._payments):
            return await self._work.hold(payments, refundable)

    async def commit(self, changes: Changes) -> None:
        """See `PaymentWork.commit`."""
        with timed("books", "commit", payment_ids=self._payments):
            await self._work.commit(changes)


class TimedKeys(PostgresKeys):
    """Reads of keys, timed from their being asked for: the wait for a round trip is inside."""

    async def find(self, request: PaymentRequest) -> KeyRecord[Payment] | None:
        """See `Keys.find`."""
        with timed("keys", "find", user_id=request.user_id):
            return await super().find(request)


class TimedPending(PostgresPendingPayments):
    """Payments left PENDING, with the looks for them timed."""

    async def take(self, limit: int, older_than_s: float, lease_s: float) -> Sequence[Payment]:
        """See `Pending.take`."""
        with timed("pending", "take"):
            return await super().take(limit, older_than_s, lease_s)
