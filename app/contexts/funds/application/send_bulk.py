"""Send money to several users at once, once a key."""

from collections.abc import Sequence

from app.contexts.funds.application.asked import Answers, BulkRequest, Payout, Result
from app.contexts.funds.application.books import ClaimedKeys, FundsBooks, Locked
from app.contexts.funds.application.till import Till
from app.contexts.funds.domain.bulk import Bulk, BulkMode
from app.contexts.funds.domain.ids import TransferId
from app.contexts.funds.domain.refusals import BalanceLimit, BulkRefused, InsufficientFunds, WalletNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.new_ids import Ids
from app.platform.idempotency.batches import firsts_of, told
from app.platform.idempotency.keys import Answered, recorded

TO_ONESELF = "VALIDATION_ERROR"


class SendBulk:
    """Sends what bulks ask for in one transaction, with the answers that are stored under their keys. See `Send`."""

    def __init__(self, books: FundsBooks, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, requests: Sequence[BulkRequest]) -> Sequence[Result]:
        firsts = firsts_of(requests)
        async with self._books.begin() as work:
            claimed = await work.claim_bulks(list(firsts.values()))
            till = Till(claimed.locked, self._ids)
            results = {scope: self._decide(request, claimed, till) for scope, request in firsts.items()}
            await work.commit(till.settled())
        return told(requests, firsts, results, claimed.records)

    def _decide(self, request: BulkRequest, claimed: ClaimedKeys, till: Till) -> Result:
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request.fingerprint, record)
        try:
            with till.all_or_none():
                bulk = self._done(request, claimed.locked, till)
        except BulkRefused as refusal:
            answer = self._answers.refused(refusal)
        else:
            answer = self._answers.bulk(bulk)
            if bulk.completed:
                till.changes.bulks.append(bulk)
                till.changes.made.add(request.scope)
        till.changes.answers[request.scope] = answer
        return Answered(answer)

    def _done(self, request: BulkRequest, locked: Locked, till: Till) -> Bulk:
        """The bulk as it is done.

        Raises:
            BulkRefused: it is to be done whole, and cannot be. What was moved has to be undone.
        """
        if request.mode is BulkMode.ALL and _is_hopeless(request, till):
            # Nobody's wallet was opened for it: what else would be refused is found out all the same.
            till.presume((p.recipient, p.money.currency) for p in request.payouts if p.recipient is not None)
        outcomes = tuple([self._send(payout, request, locked, till) for payout in request.payouts])
        errors = [(index, outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, str)]
        if errors and request.mode is BulkMode.ALL:
            raise BulkRefused(errors)
        asked = len(request.payouts)
        return Bulk(request.bulk_id, request.sender, request.mode, request.fingerprint, asked, outcomes)

    def _send(self, payout: Payout, request: BulkRequest, locked: Locked, till: Till) -> TransferId | str:
        """Move the money of one of them; its id, or the code of what refuses it."""
        recipient, money, note = payout
        if recipient is None or (request.sender, money.currency) not in locked.wallets:
            return WalletNotFound.code
        if recipient == request.sender:
            return TO_ONESELF
        transfer = CompletedTransfer(
            TransferId(self._ids()), request.tenant_id, request.sender, recipient, money, till.moment(), note,
            request.traceparent,
        )  # fmt: skip
        try:
            till.transfer(transfer, request.bulk_id)
        except (InsufficientFunds, BalanceLimit) as refusal:
            return refusal.code
        return transfer.id


def _is_hopeless(request: BulkRequest, till: Till) -> bool:
    """Whether it is clear beforehand that not all of it can be done."""
    totals = request.totals_minor.items()
    return request.is_flawed or any(till.wallet(request.sender, of).balance_minor < total for of, total in totals)
