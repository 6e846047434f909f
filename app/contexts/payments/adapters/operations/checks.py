"""What `strongbox verify` checks of payments: the books, their events in the audit trail, the gateway's record."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

from app.contexts.payments.adapters.gateway.listing import NoRecord
from app.contexts.payments.adapters.gateway.record import gateway_record, gateway_refunds
from app.contexts.payments.adapters.postgres import refund_invariants
from app.contexts.payments.adapters.postgres.invariants import QUERIES
from app.contexts.payments.adapters.postgres.trail import REFUNDS, TrailIsComplete
from app.contexts.payments.application.charges_match_payments import BookedPayment, ChargesMatchPayments
from app.contexts.payments.application.refunds_match_refunds import BookedRefund, RefundsMatchRefunds
from app.platform.http.client import http_client
from app.platform.operations.verify import Check
from app.platform.postgres.evidence import Checks, Compare, Database, Note
from app.platform.postgres.inspection import Session
from app.platform.postgres.integrity import query_checks, rows, time_of


def checks_of_payments(
    database: Database, gateway_url: str, outbox_retention_h: float, idempotency_ttl_h: float
) -> Checks:
    """The checks over the database with the payments. Events and keys are kept for so many hours."""
    return Checks(
        database,
        lambda books: checks_of_the_books(books, outbox_retention_h, idempotency_ttl_h),
        between=partial(_between, database.url, gateway_url),
        outside="the gateway's record",
    )


def checks_of_the_books(books: Session, outbox_retention_h: float, idempotency_ttl_h: float) -> Sequence[Check]:
    """The checks over one snapshot."""
    every = [*QUERIES, *refund_invariants.QUERIES]
    return query_checks(books, every, {"retention_h": outbox_retention_h, "ttl_h": idempotency_ttl_h})


@asynccontextmanager
async def _between(url: str, gateway_url: str, note: Note) -> AsyncIterator[Compare]:
    """Compares with the audit trail, and with the gateway's record if there is one."""
    cut = await time_of(url)
    async with AsyncExitStack() as stack:
        charges = refunds = None
        try:
            if not gateway_url:
                raise NoRecord("GATEWAY_URL is not set")
            client = await stack.enter_async_context(http_client(5.0, gateway_url))
            charges = await stack.enter_async_context(gateway_record(client))
        except NoRecord as error:
            note(f"the gateway's record was not compared: {error}")
        else:
            try:
                refunds = await stack.enter_async_context(gateway_refunds(client))
            except NoRecord as error:
                note(f"the gateway's record of refunds was not compared: {error}")

        def compare(trail: Session, books: Session) -> Sequence[Check]:
            checks: list[Check] = [TrailIsComplete(trail, books), TrailIsComplete(trail, books, REFUNDS)]
            if charges is not None:
                checks.append(ChargesMatchPayments(charges.charges, partial(_booked, books, cut)))
            if refunds is not None:
                checks.append(RefundsMatchRefunds(refunds.refunds, partial(_booked_refunds, books, cut)))
            return checks

        yield compare


async def _booked(books: Session, cut: datetime) -> AsyncIterator[BookedPayment]:
    """All payments of the snapshot, in the order of their ids. Due are those that were final before the cut."""
    query = """
        SELECT id, status, amount, currency, coalesce(finalized_at < %(cut)s, false) FROM payments ORDER BY id
    """
    async for row in rows(books, query, {"cut": cut}):
        yield BookedPayment._make(row)


async def _booked_refunds(books: Session, cut: datetime) -> AsyncIterator[BookedRefund]:
    """All refunds of the snapshot, likewise."""
    query = """
        SELECT id, payment_id, status, amount, currency, coalesce(finalized_at < %(cut)s, false)
        FROM payments.refunds ORDER BY id
    """
    async for row in rows(books, query, {"cut": cut}):
        yield BookedRefund._make(row)
