"""Take back the cashback of what was given back, once a key, and once a purchase's reference."""

from collections.abc import Sequence

from app.contexts.rewards.application.asked import Answers, RefundRequest, Result
from app.contexts.rewards.application.books import Books, Claimed
from app.contexts.rewards.application.teller import Teller
from app.contexts.rewards.domain.ids import PurchaseId
from app.contexts.rewards.domain.refusals import PurchaseNotFound, ReferenceReused, RefundTooLarge
from app.contexts.rewards.domain.sale import Purchase, Refund
from app.contexts.rewards.domain.tokens import Token
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant
from app.platform.idempotency.batches import firsts_of, told
from app.platform.idempotency.keys import Answer, Answered, recorded


class TakeBack:
    """Takes back for a batch of refunds, in one transaction a tenant. See `Buy`."""

    def __init__(self, books: Books, answers: Answers, token: Token, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._token = token
        self._ids = ids

    async def __call__(self, requests: Sequence[RefundRequest]) -> Sequence[Result]:
        return await by_tenant(requests, self._take_back)

    async def _take_back(self, tenant_id: TenantId, requests: Sequence[RefundRequest]) -> Sequence[Result]:
        firsts = firsts_of(requests)
        async with self._books.begin(tenant_id) as work:
            claimed = await work.claim_refunds(list(firsts.values()))
            teller = Teller(tenant_id, claimed.held, self._token, self._ids)
            purchases = {purchase.id: purchase for purchase in claimed.held.purchases.values()}
            refunds = {purchase_id: list(before) for purchase_id, before in claimed.refunds.items()}
            results = {
                scope: self._decide(request, claimed, teller, purchases.get(request.purchase_id), refunds)
                for scope, request in firsts.items()
            }
            await work.commit(teller.settled())
        return told(requests, firsts, results, claimed.records)

    def _decide(
        self, request: RefundRequest, claimed: Claimed, teller: Teller, purchase: Purchase | None,
        refunds: dict[PurchaseId, list[Refund]],
    ) -> Result:  # fmt: skip
        """`refunds` of each purchase, as the requests before it leave them."""
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request.fingerprint, record)
        if purchase is None:
            return PurchaseNotFound()
        answer = self._answer(request, teller, purchase, refunds.setdefault(purchase.id, []))
        teller.changes.answers[request.scope] = answer
        return Answered(answer)

    def _answer(self, request: RefundRequest, teller: Teller, purchase: Purchase, before: list[Refund]) -> Answer:
        account = teller.account(purchase.sale.user_id, request.traceparent)
        assert account is not None, "whoever has bought something has an account"
        known = next((refund for refund in before if refund.reference == request.reference), None)
        if known is not None:
            if _asks_for(request, known, purchase, before):
                return self._answers.refunded(known, purchase)
            return self._answers.refused(ReferenceReused())
        try:
            refund = teller.refund(
                purchase, request.refund_id, request.amount_minor, request.reference, before, account
            )
        except RefundTooLarge as refusal:
            return self._answers.refused(refusal)
        before.append(refund)
        teller.changes.made.add(request.scope)
        return self._answers.refunded(refund, purchase)


def _asks_for(request: RefundRequest, known: Refund, purchase: Purchase, refunds: Sequence[Refund]) -> bool:
    """Whether the request is that very refund: what asks for the rest is, where nothing was left behind it."""
    if request.amount_minor is not None:
        return request.amount_minor == known.amount_minor
    so_far = sum(refund.amount_minor for refund in refunds[: refunds.index(known) + 1])
    return so_far == purchase.sale.money.amount_minor
