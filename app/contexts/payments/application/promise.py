"""Transaction 1 of a refund: the intent. The key is claimed, and what is left of the payment is less by the amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.contexts.funds.public import BalanceLimit, WalletId
from app.contexts.payments.application.refund_books import ClaimedRefunds, RefundBooks, RefundChanges
from app.contexts.payments.application.refund_request import RefundAnswers, RefundRequest, StoredRefusal
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.refund import Refund, refundable
from app.contexts.payments.domain.refund_events import RefundEvent
from app.contexts.payments.domain.refusals import (
    PaymentNotApproved,
    PaymentNotFound,
    RefundInProgress,
    RefundTooLarge,
)
from app.kernel.errors import Unavailable
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.platform.idempotency.keys import Answered, KeyRecord, KeyScope
from app.platform.idempotency.refusals import KeyReused


@dataclass(frozen=True, slots=True)
class Promised:
    """The refund is committed as PENDING: the gateway may be asked now, and has to be, until it answers."""

    refund: Refund


Promise = Promised | Answered | KeyReused | PaymentNotFound | RefundInProgress | Unavailable
"""Of a request: a refusal is a value, and takes nobody else down."""


class MakePromises:
    """Promises a batch of refunds in one transaction.

    What is left of a payment, and the room that its wallet has, are looked at under the locks of both. Running a batch
    again with the same requests is safe, whatever became of it the first time: a request finds its key taken for the
    very refund that it is.
    """

    def __init__(self, books: RefundBooks, answers: RefundAnswers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, requests: Sequence[RefundRequest]) -> Sequence[Promise]:
        firsts: dict[KeyScope, RefundRequest] = {}
        for request in requests:
            firsts.setdefault(request.scope, request)
        changes = RefundChanges()
        async with self._books.begin() as work:
            claimed = await work.claim(list(firsts.values()))
            batch = _Batch(claimed)
            results = {
                scope: self._decide(request, nth, batch, changes) for nth, (scope, request) in enumerate(firsts.items())
            }
            await work.commit(changes)
        return [_told(request, firsts[request.scope], results[request.scope]) for request in requests]

    def _decide(self, request: RefundRequest, nth: int, batch: "_Batch", changes: RefundChanges) -> Promise:
        record = batch.claimed.records.get(request.scope)
        if record is not None:
            return recorded(request, record)
        if request.scope not in batch.claimed.won:
            return PaymentNotFound()
        try:
            refund = batch.promise(request, nth)
        except (PaymentNotApproved, RefundTooLarge, BalanceLimit) as refusal:
            stored: StoredRefusal = refusal
            answer = changes.answers[request.scope] = self._answers.refused(stored)
            return Answered(answer)
        changes.new_refunds.append(refund)
        changes.events.append(RefundEvent(EventId(self._ids()), refund))
        return Promised(refund)


class _Batch:
    """Payments and wallets that are locked, as one promise after the other leaves them."""

    def __init__(self, claimed: ClaimedRefunds) -> None:
        self.claimed = claimed
        self._promised: dict[PaymentId, int] = dict(claimed.promised)
        self._pending: dict[WalletId, int] = dict(claimed.pending)

    def promise(self, request: RefundRequest, nth: int) -> Refund:
        """The refund that is asked for.

        Raises:
            PaymentNotApproved, RefundTooLarge: see `refundable`.
            BalanceLimit: the wallet has no room for it, with all else that may come back.
        """
        payment = self.claimed.payments[request.payment_id]
        promised_minor = self._promised.get(payment.id, 0)
        money = refundable(payment, promised_minor, request.amount_minor)
        wallet_id = (payment.user_id, money.currency)
        pending_minor = self._pending.get(wallet_id, 0)
        if not self.claimed.wallets[wallet_id].has_room(money.amount_minor, pending_minor):
            raise BalanceLimit
        at = self.claimed.now + timedelta(microseconds=nth)
        assert payment.finalized_at is not None, "it is approved"
        self._promised[payment.id] = promised_minor + money.amount_minor
        self._pending[wallet_id] = pending_minor + money.amount_minor
        return Refund(
            id=request.refund_id,
            payment_id=payment.id,
            user_id=payment.user_id,
            tenant_id=request.tenant_id,
            asked_by=request.asked_by,
            idempotency_key=request.key,
            money=money,
            reason=request.reason,
            created_at=max(at, payment.finalized_at),  # the clock may have gone back
            traceparent=request.traceparent,
        )


def recorded(request: RefundRequest, record: KeyRecord[Refund]) -> Promise:
    """What a request gets whose key has a record."""
    if record.fingerprint != request.fingerprint:
        return KeyReused()
    if record.answer is not None:
        return Answered(record.answer, replayed=True)
    assert record.made is not None, "a key of such a request without an answer has a refund"
    if record.made.id == request.refund_id:
        return Promised(record.made)
    return RefundInProgress(record.made.id)


def _told(request: RefundRequest, first: RefundRequest, result: Promise) -> Promise:
    """What a request gets that may stand behind another of its batch with its key."""
    if request is first:
        return result
    if request.fingerprint != first.fingerprint:
        if isinstance(result, PaymentNotFound):
            # The first left no trace: this one has the key to itself, in a later batch.
            return Unavailable("another request held the key")
        # Whatever the first got is under the key: an answer, or a refund.
        return KeyReused() if isinstance(result, Promised | Answered) else result
    match result:
        case Promised(refund):
            return RefundInProgress(refund.id)
        case Answered(answer):
            return Answered(answer, replayed=True)
        case _:
            return result
