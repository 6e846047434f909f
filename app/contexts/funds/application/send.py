"""Send money to another user, once a key."""

from collections.abc import Sequence

from app.contexts.funds.application.asked import Answers, Result, SendRequest
from app.contexts.funds.application.books import ClaimedKeys, FundsBooks
from app.contexts.funds.application.till import Till
from app.contexts.funds.domain.refusals import BalanceLimit, InsufficientFunds, WalletNotFound
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.new_ids import Ids
from app.platform.idempotency.batches import firsts_of, told
from app.platform.idempotency.keys import Answered, recorded


class Send:
    """Sends a batch of requests' money in one transaction, with the answers that are stored under their keys.

    Running a batch again with the same requests is safe, whatever became of it the first time: that is how an unknown
    COMMIT is decided.
    """

    def __init__(self, books: FundsBooks, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, requests: Sequence[SendRequest]) -> Sequence[Result]:
        firsts = firsts_of(requests)
        async with self._books.begin() as work:
            claimed = await work.claim_sends(list(firsts.values()))
            till = Till(claimed.locked, self._ids)
            results = {scope: self._decide(request, claimed, till) for scope, request in firsts.items()}
            await work.commit(till.settled())
        return told(requests, firsts, results, claimed.records)

    def _decide(self, request: SendRequest, claimed: ClaimedKeys, till: Till) -> Result:
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request.fingerprint, record)
        if request.scope not in claimed.won:
            return WalletNotFound(request.money.currency)
        transfer = CompletedTransfer(
            request.transfer_id, request.tenant_id, request.sender, request.recipient, request.money, till.moment(),
            request.note, request.traceparent,
        )  # fmt: skip
        try:
            till.transfer(transfer)
        except (InsufficientFunds, BalanceLimit) as refusal:
            answer = self._answers.refused(refusal)
        else:
            answer = self._answers.completed(transfer)
            till.changes.made.add(request.scope)
        till.changes.answers[request.scope] = answer
        return Answered(answer)
