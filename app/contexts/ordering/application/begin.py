"""The intent: a key is claimed, and a cart is being checked out from here on."""

from collections.abc import Sequence
from datetime import timedelta

from app.contexts.ordering.application.asked import Answers, CheckoutRequest, UnderWay
from app.contexts.ordering.application.books import Books, Changes, Claimed, FullCart
from app.contexts.ordering.domain.checkout import Checkout
from app.contexts.ordering.domain.refusals import CartEmpty, CheckoutInProgress
from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant
from app.platform.idempotency.keys import Answered, KeyScope, recorded
from app.platform.idempotency.refusals import KeyInProgress, KeyReused

Begun = Checkout | Answered | KeyReused | UnderWay | Unavailable
"""Of a request: the checkout that it is from here on, or why it is none. A refusal takes nobody else down."""


class Begin:
    """Begins a batch of checkouts, in one transaction a tenant.

    Running a batch again with the same requests is safe, whatever became of it the first time: a request finds its key
    taken for the very checkout that it is.
    """

    def __init__(self, books: Books, answers: Answers, due_after_s: float) -> None:
        self._books = books
        self._answers = answers
        self._due_after = timedelta(seconds=due_after_s)

    async def __call__(self, requests: Sequence[CheckoutRequest]) -> Sequence[Begun]:
        return await by_tenant(requests, self._begin)

    async def _begin(self, tenant_id: TenantId, requests: Sequence[CheckoutRequest]) -> Sequence[Begun]:
        firsts: dict[KeyScope, CheckoutRequest] = {}
        for request in requests:
            firsts.setdefault(request.scope, request)
        async with self._books.begin(tenant_id) as work:
            claimed, changes = await work.claim(list(firsts.values())), Changes()
            carts = dict(claimed.carts)
            results = {of: self._decide(request, claimed, carts, changes) for of, request in firsts.items()}
            await work.commit(changes)
        return [_told(request, firsts[request.scope], results[request.scope]) for request in requests]

    def _decide(
        self, request: CheckoutRequest, claimed: Claimed, carts: dict[UserId, FullCart], changes: Changes
    ) -> Begun:
        record = claimed.records.get(request.scope)
        cart = carts.get(request.buyer_id)
        under_way = cart.under_way if cart else None
        if record is not None:
            found = recorded(request.fingerprint, record)
            if not isinstance(found, KeyInProgress):
                return found
            own = under_way if under_way and under_way.id == record.made else None
            if own and own.id == request.checkout_id:
                return own  # this very request began it: nobody knew whether that was committed
            return self._under_way(own, found, claimed)
        if cart is None or not cart.lines or cart.currency is None:
            answer = changes.answers[request.scope] = self._answers.refused(CartEmpty())
            return Answered(answer)
        if under_way is not None:
            changes.forgotten[request.scope] = request.checkout_id
            return self._under_way(under_way, CheckoutInProgress(), claimed)
        checkout = Checkout(
            id=request.checkout_id,
            tenant_id=request.tenant_id,
            buyer_id=request.buyer_id,
            cart_id=cart.id,
            key=request.key,
            expected_total_minor=request.expected_total_minor,
            currency=cart.currency,
            lines=cart.lines,
            created_at=claimed.now,
            updated_at=claimed.now,
            traceparent=request.traceparent,
        )
        carts[request.buyer_id] = FullCart(cart.id, cart.currency, cart.lines, checkout)
        changes.new_checkouts.append(checkout)
        return checkout

    def _under_way(
        self, checkout: Checkout | None, refusal: KeyInProgress | CheckoutInProgress, claimed: Claimed
    ) -> UnderWay:
        return UnderWay(checkout, refusal, bool(checkout and checkout.created_at + self._due_after <= claimed.now))


def _told(request: CheckoutRequest, first: CheckoutRequest, result: Begun) -> Begun:
    """What a request gets that may stand behind another with its key."""
    if request is first:
        return result
    if request.fingerprint != first.fingerprint:
        # Where the first left no trace this one has the key to itself, in a later batch.
        left_a_trace = isinstance(result, Checkout | Answered)
        return KeyReused() if left_a_trace else Unavailable("another request had the key")
    match result:
        case Checkout():
            return UnderWay(None, KeyInProgress(), is_due=False)
        case Answered(answer):
            return Answered(answer, replayed=True)
        case _:
            return result
