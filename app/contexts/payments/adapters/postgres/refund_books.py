"""The books of refunds: two round trips a batch, whatever its size, and one more for promises: whose wallets they are
about is known of their payments. See `books`."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from app.contexts.funds import part
from app.contexts.payments.adapters.postgres import refund_rows
from app.contexts.payments.adapters.postgres.event_documents import refund_document
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.contexts.payments.adapters.postgres.idempotency import REFUND_KEYS
from app.contexts.payments.adapters.postgres.rows import has_payment, lock_by_id, payment_of
from app.contexts.payments.adapters.postgres.writes import OUTBOX
from app.contexts.payments.application.refund_books import ClaimedRefunds, HeldRefunds, RefundChanges
from app.contexts.payments.application.refund_request import RefundRequest
from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refusals import PaymentNotFound
from app.kernel.ids import UserId
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.statements import answers_of, records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.outbox_writer import NewEvent
from app.platform.postgres.pipeline import Call, Row, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.reads import SharedReads
from app.platform.postgres.transactions import CLOCK, DatabaseTransaction, Transactions

_PENDING = part.PendingSums(PAYMENT_QUERIES)
_IS_THERE = Statement(f"SELECT {has_payment('%b::uuid', '%b::uuid', '%b::boolean')}")


class PostgresRefundRecords:
    """Reads of keys and payments. It implements `RefundRecords`."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def find(self, request: RefundRequest) -> KeyRecord[Refund] | None:
        """See `RefundRecords.find`."""
        keys, ((is_there,),) = await self._reads.read(
            request.payment_id,
            REFUND_KEYS.find(request.scope),
            (_IS_THERE, (request.payment_id, request.tenant_id, request.keeps_keys)),
        )
        if keys:
            return records_of(keys, refund_rows.refund_of)[request.scope]
        if not is_there:
            raise PaymentNotFound
        return None


class PostgresRefundBooks:
    """The books in PostgreSQL. It implements `RefundBooks`."""

    def __init__(self, pool: Pool) -> None:
        self._transactions = Transactions(pool)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresRefundWork"]:
        """See `RefundBooks.begin`."""
        async with self._transactions.open() as transaction:
            yield PostgresRefundWork(transaction)


class PostgresRefundWork:
    """One transaction. It implements `RefundWork`."""

    def __init__(self, transaction: DatabaseTransaction) -> None:
        self._transaction = transaction

    async def claim(self, requests: Sequence[RefundRequest]) -> ClaimedRefunds:
        """See `RefundWork.claim`."""
        ids = list(dict.fromkeys(request.payment_id for request in requests))
        (claims, locked, promised), now = await self._transaction.begin(
            REFUND_KEYS.claim([
                (*r.scope, r.fingerprint, r.refund_id, r.payment_id, r.tenant_id, r.keeps_keys) for r in requests
            ]),
            lock_by_id(ids),
            refund_rows.promised(ids),
        )  # fmt: skip
        own = won(claims)
        payments = {payment.id: payment for payment in map(payment_of, locked)}
        lost = [request for request in requests if request.scope not in own]
        records = await self._records(lost, payments) if lost else {}
        filled: Sequence[Row] = ()
        pending: Sequence[Row] = ()
        if own:
            paid = [payments[request.payment_id] for request in requests if request.scope in own]
            wallets = list(dict.fromkeys((payment.user_id, payment.money.currency) for payment in paid))
            filled, pending, ((now,),) = await self._transaction.read(
                part.lock_wallets(wallets), _PENDING.of(wallets), (CLOCK, ())
            )
        return ClaimedRefunds(
            won=own,
            records=records,
            payments=payments,
            promised={PaymentId(id_): amount for id_, amount in promised},
            wallets=part.wallets_of(filled),
            pending=part.sums_of(pending),
            now=now,
        )

    async def _records(
        self, requests: Sequence[RefundRequest], payments: Mapping[PaymentId, Payment]
    ) -> dict[KeyScope, KeyRecord[Refund]]:
        (rows,) = await self._transaction.read(REFUND_KEYS.records([request.scope for request in requests]))
        records = records_of(rows, refund_rows.refund_of)
        for request in requests:
            payment = payments.get(request.payment_id)
            if request.scope not in records and payment is not None and request.may_be_of(payment):
                raise Retry  # an old record was purged between two of our statements
        return records

    async def hold(self, refunds: Sequence[Refund]) -> HeldRefunds:
        """See `RefundWork.hold`."""
        (keys, rows, wallets), now = await self._transaction.begin(
            REFUND_KEYS.lock([(UserId(refund.asked_by), refund.idempotency_key) for refund in refunds]),
            refund_rows.lock(refunds),
            part.lock_wallets(list(dict.fromkeys((refund.user_id, refund.money.currency) for refund in refunds))),
        )
        held = {refund.id: refund for refund in map(refund_rows.refund_of, rows)}
        answers = {RefundId(made): answer for made, answer in answers_of(keys).items()}
        return HeldRefunds(held, answers, part.wallets_of(wallets), now)

    async def commit(self, changes: RefundChanges) -> None:
        """See `RefundWork.commit`."""
        await self._transaction.commit(_statements(changes))


def _statements(changes: RefundChanges) -> Iterator[Call]:
    if changes.new_refunds:
        yield refund_rows.insert(changes.new_refunds)
    if changes.settled_refunds:
        yield refund_rows.settle(changes.settled_refunds)
    if changes.transactions:
        yield from part.write(changes.transactions)
    if changes.answers:
        # Of the answers only those of settled refunds belong to one.
        made = {(UserId(refund.asked_by), refund.idempotency_key) for refund in changes.settled_refunds}
        yield REFUND_KEYS.store(changes.answers, made)
    if changes.events:
        yield OUTBOX.insert([
            NewEvent(
                e.refund.user_id, e.id, e.refund.id, e.sequence, e.type, refund_document(e), e.occurred_at,
                e.refund.tenant_id,
            )
            for e in changes.events
        ])  # fmt: skip
