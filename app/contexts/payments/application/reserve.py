"""Transaction 1: claim the key, take the money out of the wallet, record the payment as PENDING."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.contexts.funds.public import InsufficientFunds, Wallet, WalletId, WalletNotFound
from app.contexts.payments.application.answers import Answers
from app.contexts.payments.application.books import Changes, Claimed, PaymentBooks
from app.contexts.payments.application.request import PaymentRequest, Scope
from app.contexts.payments.application.results import Answered
from app.contexts.payments.domain.events import created
from app.contexts.payments.domain.payment import Payment
from app.contexts.payments.domain.refusals import KeyInProgress, ProviderNotFound
from app.kernel.errors import Unavailable
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.refusals import Refusal
from app.platform.idempotency.keys import KeyRecord
from app.platform.idempotency.refusals import KeyReused


@dataclass(frozen=True, slots=True)
class Reserved:
    """The payment is committed as PENDING and its money is set aside: it may be charged now."""

    payment: Payment


ReserveResult = Reserved | Answered | Refusal | Unavailable


class Reserve:
    """Reserves a batch of payments in one transaction.

    Every request gets a result of its own: a refusal is a value, and takes nobody else down. Running a batch again
    with the same requests is safe, whatever became of it the first time: that is how an unknown COMMIT is decided.
    """

    def __init__(self, books: PaymentBooks, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, requests: Sequence[PaymentRequest]) -> Sequence[ReserveResult]:
        firsts: dict[Scope, PaymentRequest] = {}
        for request in requests:
            firsts.setdefault(request.scope, request)
        changes = Changes()
        results: dict[Scope, ReserveResult] = {}
        async with self._books.begin() as work:
            claimed = await work.claim(list(firsts.values()))
            wallets = dict(claimed.wallets)
            for nth, (scope, request) in enumerate(firsts.items()):
                # A wallet's history is ordered by time: no two movements of a batch share theirs.
                at = claimed.now + timedelta(microseconds=nth)
                results[scope] = self._decide(request, claimed, wallets, changes, at)
            await work.commit(changes)
        return [
            results[request.scope]
            if request is firsts[request.scope]
            else _behind(request, firsts[request.scope], results[request.scope], claimed.records.get(request.scope))
            for request in requests
        ]

    def _decide(
        self,
        request: PaymentRequest,
        claimed: Claimed,
        wallets: dict[WalletId, Wallet],
        changes: Changes,
        at: datetime,
    ) -> ReserveResult:
        """`wallets` as the requests before it leave them."""
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request, record)
        wallet_id = (request.user_id, request.money.currency)
        wallet = wallets.get(wallet_id)
        if wallet is None:
            return WalletNotFound(request.money.currency)
        if request.scope not in claimed.won:
            return ProviderNotFound()
        try:
            debit = wallet.pay_out(request.transaction_id, request.payment_id, request.money, at)
        except InsufficientFunds as refusal:
            answer = changes.answers[request.scope] = self._answers.refused(refusal)
            return Answered(answer)
        wallets[wallet_id] = wallet.after(debit)
        payment = _payment(request, at)
        changes.new_payments.append(payment)
        changes.transactions.append(debit)
        changes.events.append(created(payment, EventId(self._ids())))
        return Reserved(payment)


def recorded(request: PaymentRequest, record: KeyRecord[Payment]) -> ReserveResult:
    """What a request gets whose key has a record."""
    if record.fingerprint != request.fingerprint:
        return KeyReused()
    if record.answer is not None:
        return Answered(record.answer, replayed=True)
    assert record.made is not None, "a key without an answer has a payment"
    if record.made.id == request.payment_id:
        return Reserved(record.made)
    return KeyInProgress(record.made.id)


def _behind(
    request: PaymentRequest, first: PaymentRequest, result: ReserveResult, record: KeyRecord[Payment] | None
) -> ReserveResult:
    """What a request gets whose key another request of the same batch brought, earlier."""
    if record is not None:
        return recorded(request, record)
    if request.fingerprint != first.fingerprint:
        # Where the first left no trace this one has the key to itself, in a later batch.
        return Unavailable("another request held the key") if isinstance(result, Refusal) else KeyReused()
    match result:
        case Reserved(payment):
            return KeyInProgress(payment.id)
        case Answered(answer):
            return Answered(answer, replayed=True)
        case _:
            return result


def _payment(request: PaymentRequest, at: datetime) -> Payment:
    return Payment(
        id=request.payment_id,
        transaction_id=request.transaction_id,
        user_id=request.user_id,
        idempotency_key=request.key,
        provider_id=request.provider_id,
        external_reference=request.external_reference,
        money=request.money,
        created_at=at,
        traceparent=request.traceparent,
        tenant_id=request.tenant_id,
        asked_by=request.asked_by,
        metadata=request.metadata,
    )
