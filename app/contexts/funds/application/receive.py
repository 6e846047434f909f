"""Pay in from outside, once a key, and once a reference."""

from collections.abc import Sequence

from app.contexts.funds.application.asked import Answers, ReceiveRequest, Result
from app.contexts.funds.application.books import ClaimedKeys, FundsBooks, Reference
from app.contexts.funds.application.till import Till
from app.contexts.funds.domain.refusals import BalanceLimit, ReferenceReused
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.new_ids import Ids
from app.platform.idempotency.batches import firsts_of, told
from app.platform.idempotency.keys import Answer, Answered, recorded


class Receive:
    """Pays in for a batch of requests in one transaction. See `Send`."""

    def __init__(self, books: FundsBooks, answers: Answers, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids

    async def __call__(self, requests: Sequence[ReceiveRequest]) -> Sequence[Result]:
        firsts = firsts_of(requests)
        async with self._books.begin() as work:
            claimed = await work.claim_receipts(list(firsts.values()))
            till, fundings = Till(claimed.locked, self._ids), dict(claimed.fundings)
            results = {scope: self._decide(request, claimed, till, fundings) for scope, request in firsts.items()}
            await work.commit(till.settled())
        return told(requests, firsts, results, claimed.records)

    def _decide(
        self, request: ReceiveRequest, claimed: ClaimedKeys, till: Till, fundings: dict[Reference, CompletedTransfer]
    ) -> Result:
        """`fundings` by their references, as the requests before it leave them."""
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request.fingerprint, record)
        answer = self._answer(request, till, fundings)
        till.changes.answers[request.scope] = answer
        return Answered(answer)

    def _answer(self, request: ReceiveRequest, till: Till, fundings: dict[Reference, CompletedTransfer]) -> Answer:
        reference = (request.recipient, request.money.currency, request.reference)
        before = fundings.get(reference)
        if before is not None:
            if before.money != request.money:
                return self._answers.refused(ReferenceReused(before.money.amount_minor))
            return self._answers.completed(before)
        funding = CompletedTransfer(
            request.transfer_id, request.tenant_id, None, request.recipient, request.money, till.moment(),
            traceparent=request.traceparent,
        )  # fmt: skip
        try:
            till.pay_in(funding, request.reference)
        except BalanceLimit as refusal:
            return self._answers.refused(refusal)
        fundings[reference] = funding
        till.changes.made.add(request.scope)
        return self._answers.completed(funding)
