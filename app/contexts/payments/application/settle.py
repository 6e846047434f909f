"""Transaction 2: a payment becomes final, with its refund if its money goes back. And the mark before a void."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.contexts.funds.public import TransactionId, Wallet, WalletId
from app.contexts.payments.application.answers import Answers
from app.contexts.payments.application.books import Changes, Held, PaymentBooks
from app.contexts.payments.application.request import scope_of_payment
from app.contexts.payments.application.results import Answered
from app.contexts.payments.domain.events import refunded, settled
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.outcome import Approved, Outcome
from app.contexts.payments.domain.payment import NotSettled, Payment, Status
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payment and what is known of it."""

    payment: Payment
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Marked:
    """The payment is committed as about to be voided: only a confirmed void, or a decline, finishes it."""

    payment: Payment


class Settle:
    """Settles a batch of payments in one transaction. The first writer wins; the others read what stands."""

    def __init__(self, books: PaymentBooks, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, settlements: Sequence[Settlement]) -> Sequence[Answered | Marked]:
        changes = Changes()
        results: list[Answered | Marked] = []
        payments = {settlement.payment.id: settlement.payment for settlement in settlements}
        refundable = {s.payment.id: s.payment for s in settlements if not isinstance(s.outcome, Approved)}
        async with self._books.begin() as work:
            held = await work.hold(list(payments.values()), list(refundable.values()))
            standing, wallets = dict(held.payments), dict(held.wallets)
            for nth, settlement in enumerate(settlements):
                at = held.now + timedelta(microseconds=nth)
                payment = standing[settlement.payment.id]
                try:
                    final = standing[payment.id] = payment.settle(settlement.outcome, at)
                except NotSettled:
                    results.append(_standing(payment, held, self._answers))
                else:
                    results.append(self._finish(final, wallets, changes, at))
            await work.commit(changes)
        return results

    def _finish(self, final: Payment, wallets: dict[WalletId, Wallet], changes: Changes, at: datetime) -> Answered:
        changes.settled_payments.append(final)
        changes.events.append(settled(final, EventId(self._ids())))
        if final.status is not Status.APPROVED:
            wallet_id = (final.user_id, final.money.currency)
            back = wallets[wallet_id].refund(TransactionId(self._ids()), final.id, final.money, at)
            wallets[wallet_id] = wallets[wallet_id].after(back)
            changes.transactions.append(back)
            changes.events.append(refunded(final, back.id, EventId(self._ids()), at))
        answer = self._answers.settled(final)
        changes.answers[scope_of_payment(final)] = answer
        return Answered(answer)


class Mark:
    """Announces the voids of a batch of payments, in one transaction, before any of them is sent."""

    def __init__(self, books: PaymentBooks, answers: Answers) -> None:
        self._books = books
        self._answers = answers

    async def __call__(self, payments: Sequence[Payment]) -> Sequence[Answered | Marked]:
        changes = Changes()
        results: dict[PaymentId, Answered | Marked] = {}
        async with self._books.begin() as work:
            held = await work.hold(list({payment.id: payment for payment in payments}.values()), [])
            for payment_id, standing in held.payments.items():
                if standing.is_final:
                    results[payment_id] = _standing(standing, held, self._answers)
                    continue
                marked = standing.mark_for_void(held.now)
                if marked is not standing:
                    changes.marked_payments.append(marked)
                results[payment_id] = Marked(marked)
            await work.commit(changes)
        return [results[payment.id] for payment in payments]


def _standing(payment: Payment, held: Held, answers: Answers) -> Answered | Marked:
    if not payment.is_final:
        return Marked(payment)
    # The stored bytes, unless the key has been purged since.
    return Answered(held.answers.get(payment.id) or answers.settled(payment), replayed=True)
