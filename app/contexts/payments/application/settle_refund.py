"""Transaction 2 of a refund: the gateway's word is kept, and the wallet is credited, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.contexts.funds.public import TransactionId, Wallet, WalletId
from app.contexts.payments.application.refund_books import RefundBooks, RefundChanges
from app.contexts.payments.application.refund_request import RefundAnswers
from app.contexts.payments.domain.outcome import RefundOutcome
from app.contexts.payments.domain.refund import NotPending, Refund, RefundStatus
from app.contexts.payments.domain.refund_events import RefundEvent
from app.kernel.ids import EventId, UserId
from app.kernel.new_ids import Ids
from app.platform.idempotency.keys import Answer


@dataclass(frozen=True, slots=True)
class RefundSettlement:
    """A refund and what is known of it."""

    refund: Refund
    outcome: RefundOutcome


@dataclass(frozen=True, slots=True)
class SettledRefund:
    """The refund as it stands from here on, and the answer to whoever asked for it.

    `before`: somebody else was the first to settle it.
    """

    refund: Refund
    answer: Answer
    before: bool = False


class SettleRefunds:
    """Settles a batch of refunds in one transaction. The first writer wins; the others read what stands."""

    def __init__(self, books: RefundBooks, answers: RefundAnswers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, settlements: Sequence[RefundSettlement]) -> Sequence[SettledRefund]:
        changes = RefundChanges()
        results: list[SettledRefund] = []
        async with self._books.begin() as work:
            held = await work.hold(list({s.refund.id: s.refund for s in settlements}.values()))
            standing, wallets = dict(held.refunds), dict(held.wallets)
            for nth, settlement in enumerate(settlements):
                at = held.now + timedelta(microseconds=nth)
                refund = standing[settlement.refund.id]
                try:
                    final = standing[refund.id] = refund.settle(settlement.outcome, at)
                except NotPending:
                    answer = held.answers.get(refund.id) or self._answers.settled(refund)
                    results.append(SettledRefund(refund, answer, before=True))
                else:
                    results.append(self._finish(final, wallets, changes, at))
            await work.commit(changes)
        return results

    def _finish(
        self, final: Refund, wallets: dict[WalletId, Wallet], changes: RefundChanges, at: datetime
    ) -> SettledRefund:
        if final.status is RefundStatus.COMPLETED:
            wallet_id = (final.user_id, final.money.currency)
            made = TransactionId(final.id)
            credit = wallets[wallet_id].merchant_refund(made, final.payment_id, final.money, at)
            wallets[wallet_id] = wallets[wallet_id].after(credit)
            changes.transactions.append(credit)
        changes.settled_refunds.append(final)
        changes.events.append(RefundEvent(EventId(self._ids()), final))
        answer = self._answers.settled(final)
        changes.answers[UserId(final.asked_by), final.idempotency_key] = answer
        return SettledRefund(final, answer)
