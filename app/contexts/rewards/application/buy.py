"""Record what was bought, once a key, and once a merchant's reference; give what it earns."""

from collections.abc import Sequence

from app.contexts.rewards.application.asked import Answers, BuyRequest, Result
from app.contexts.rewards.application.books import Books, Claimed
from app.contexts.rewards.application.teller import Teller
from app.contexts.rewards.domain.refusals import ReferenceReused, UserNotFound
from app.contexts.rewards.domain.sale import Sale, Source
from app.contexts.rewards.domain.tokens import Token
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant
from app.platform.idempotency.batches import firsts_of, told
from app.platform.idempotency.keys import Answered, recorded


class Buy:
    """Records a batch of purchases, in one transaction a tenant.

    Running a batch again with the same requests is safe, whatever became of it the first time: a request finds its key
    with the answer that it has stored.
    """

    def __init__(self, books: Books, answers: Answers, token: Token, ids: Ids) -> None:
        self._books = books
        self._answers = answers
        self._token = token
        self._ids = ids

    async def __call__(self, requests: Sequence[BuyRequest]) -> Sequence[Result]:
        return await by_tenant(requests, self._buy)

    async def _buy(self, tenant_id: TenantId, requests: Sequence[BuyRequest]) -> Sequence[Result]:
        firsts = firsts_of(requests)
        async with self._books.begin(tenant_id) as work:
            claimed = await work.claim_purchases(list(firsts.values()))
            teller = Teller(tenant_id, claimed.held, self._token, self._ids)
            results = {scope: self._decide(request, claimed, teller) for scope, request in firsts.items()}
            await work.commit(teller.settled())
        return told(requests, firsts, results, claimed.records)

    def _decide(self, request: BuyRequest, claimed: Claimed, teller: Teller) -> Result:
        record = claimed.records.get(request.scope)
        if record is not None:
            return recorded(request.fingerprint, record)
        account = teller.account(request.user_id, request.traceparent)
        if account is None:
            return UserNotFound()
        sale = Sale(
            user_id=request.user_id,
            source=Source.PURCHASE,
            merchant=request.merchant,
            reference=request.reference,
            money=request.money,
            at=teller.now,
            category=request.category,
        )
        before = teller.purchase(sale.key)
        if before is None:
            answer = self._answers.bought(teller.buy(sale, request.purchase_id, account))
            teller.changes.made.add(request.scope)
        elif before.is_of(sale):
            answer = self._answers.bought(before)
        else:
            answer = self._answers.refused(ReferenceReused())
        teller.changes.answers[request.scope] = answer
        return Answered(answer)
