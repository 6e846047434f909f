"""The books of refunds: two round trips a batch, whatever its size. See `books`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from app.contexts.funds import part
from app.contexts.payments.adapters.postgres import refund_rows
from app.contexts.payments.adapters.postgres.event_documents import refund_document
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.contexts.payments.adapters.postgres.idempotency import REFUND_KEYS
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, lock_payments, payment_of
from app.contexts.payments.adapters.postgres.writes import OUTBOX
from app.contexts.payments.application.refund_books import ClaimedRefunds, Found, HeldRefunds, RefundChanges
from app.contexts.payments.application.refund_request import RefundRequest, Wanted
from app.contexts.payments.domain.ids import PaymentId, RefundId
from app.contexts.payments.domain.refund import Refund
from app.kernel.ids import UserId
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.statements import answers_of, records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.outbox_writer import NewEvent
from app.platform.postgres.pipeline import Call, Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.reads import SharedReads
from app.platform.postgres.transactions import DatabaseTransaction, Transactions

_PENDING = part.PendingSums(PAYMENT_QUERIES)
_PAYMENT = Statement(f"SELECT {PAYMENT_COLUMNS} FROM payments p WHERE p.id = %b::uuid")


class PostgresRefundRecords:
    """Reads of keys and payments. It implements `RefundRecords`."""

    def __init__(self, reads: SharedReads) -> None:
        self._reads = reads

    async def find(self, request: RefundRequest) -> Found:
        """See `RefundRecords.find`."""
        keys, payments = await self._reads.read(
            request.payment_id, REFUND_KEYS.find(request.scope), (_PAYMENT, (request.payment_id,))
        )
        record = records_of(keys, refund_rows.refund_of)[request.scope] if keys else None
        return Found(record, payment_of(payments[0]) if payments else None)


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

    async def claim(self, wanted: Sequence[Wanted]) -> ClaimedRefunds:
        """See `RefundWork.claim`."""
        payments = {each.payment.id: each.payment for each in wanted}
        of_them = [(payment.user_id, payment.id) for payment in payments.values()]
        wallets = [(payment.user_id, payment.money.currency) for payment in payments.values()]
        (claims, locked, promised, filled, pending), now = await self._transaction.begin(
            REFUND_KEYS.claim([
                (*each.request.scope, each.request.fingerprint, each.request.refund_id) for each in wanted
            ]),
            lock_payments(of_them),
            refund_rows.promised(list(payments)),
            part.lock_wallets(wallets),
            _PENDING.of(wallets),
        )  # fmt: skip
        own = won(claims)
        lost = [each.request.scope for each in wanted if each.request.scope not in own]
        return ClaimedRefunds(
            records=await self._records(lost) if lost else {},
            payments={payment.id: payment for payment in map(payment_of, locked)},
            promised={PaymentId(id_): amount for id_, amount in promised},
            wallets=part.wallets_of(filled),
            pending=part.sums_of(pending),
            now=now,
        )

    async def _records(self, scopes: Sequence[KeyScope]) -> dict[KeyScope, KeyRecord[Refund]]:
        (rows,) = await self._transaction.read(REFUND_KEYS.records(scopes))
        records = records_of(rows, refund_rows.refund_of)
        if len(records) < len(scopes):
            raise Retry  # an old record was purged between two of our statements
        return records

    async def hold(self, refunds: Sequence[Refund]) -> HeldRefunds:
        """See `RefundWork.hold`."""
        # The credit refers to its payment, whose row that locks: behind the wallet it would be out of order.
        (keys, _, rows, wallets), now = await self._transaction.begin(
            REFUND_KEYS.lock([(UserId(refund.asked_by), refund.idempotency_key) for refund in refunds]),
            lock_payments(list(dict.fromkeys((refund.user_id, refund.payment_id) for refund in refunds))),
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
