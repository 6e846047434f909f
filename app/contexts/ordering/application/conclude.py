"""The end of a checkout: its orders are paid, or nothing came of it and the cart is as before."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.contexts.funds.public import HoldId
from app.contexts.ordering.application.asked import Answers, CheckoutRefusal
from app.contexts.ordering.application.books import Books, Changes, Held
from app.contexts.ordering.application.place import Ended
from app.contexts.ordering.domain.checkout import Checkout, CheckoutRef, fee_minor
from app.contexts.ordering.domain.events import told
from app.kernel.ids import EventId
from app.kernel.new_ids import Ids
from app.kernel.principal import TenantId
from app.platform.by_tenant import by_tenant
from app.platform.idempotency.keys import Answer, Answered


@dataclass(frozen=True, slots=True)
class Paid:
    """The holds of the orders are there, in the order of the orders' ids, and the stock is taken."""

    checkout: CheckoutRef
    holds: Sequence[HoldId]

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.checkout.tenant_id


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing comes of it, nothing is reserved or held. Without a refusal it was given up: its key is free again."""

    checkout: CheckoutRef
    refusal: CheckoutRefusal | None

    @property
    def tenant_id(self) -> TenantId:
        """Whose."""
        return self.checkout.tenant_id


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Nothing came of the checkout, and nobody is told so: its key is free."""


Conclusion = Paid | Refused
Concluded = Answered | GivenUp | Ended
"""The stored answer, of this conclusion or of one before it; none where the checkout was given up, now or before."""


class Conclude:
    """Ends a batch of checkouts, in one transaction a tenant. The first end of a checkout is its end."""

    def __init__(self, books: Books, answers: Answers, ids: Ids, fee_bp: int) -> None:
        self._books = books
        self._answers = answers
        self._ids = ids
        self._fee_bp = fee_bp

    async def __call__(self, conclusions: Sequence[Conclusion]) -> Sequence[Concluded]:
        return await by_tenant(conclusions, self._conclude)

    async def _conclude(self, tenant_id: TenantId, conclusions: Sequence[Conclusion]) -> Sequence[Concluded]:
        async with self._books.begin(tenant_id) as work:
            held = await work.lock(dict.fromkeys(each.checkout for each in conclusions), with_carts=True)
            changes = Changes()
            checkouts, answers = dict(held.checkouts), dict(held.answers)
            results: list[Concluded] = []
            for conclusion in conclusions:
                checkout = checkouts[conclusion.checkout.id]
                if checkout.is_pending:
                    checkouts[checkout.id], answer = self._end(conclusion, checkout, held, changes)
                    if answer is not None:
                        answers[checkout.id] = answer
                    results.append(GivenUp() if answer is None else Answered(answer))
                else:
                    results.append(self._ended(conclusion, checkout, answers.get(checkout.id)))
            await work.commit(changes)
        return results

    def _ended(self, conclusion: Conclusion, checkout: Checkout, known: Answer | None) -> Concluded:
        """What is told of a checkout that has ended before: a refusal only where it is this very one."""
        if known is None or (not checkout.is_paid and known != self._refused(conclusion)):
            return Ended()
        return Answered(known, replayed=True)

    def _refused(self, conclusion: Conclusion) -> Answer | None:
        if isinstance(conclusion, Paid) or conclusion.refusal is None:
            return None
        return self._answers.refused(conclusion.refusal)

    def _end(
        self, conclusion: Conclusion, checkout: Checkout, held: Held, changes: Changes
    ) -> tuple[Checkout, Answer | None]:
        orders, answer = held.orders.get(checkout.id, []), None
        assert checkout.key is not None, "what was sold elsewhere was never pending"
        scope = checkout.buyer_id, checkout.key
        if isinstance(conclusion, Paid):
            ended = checkout.pay(held.now)
            pay = zip(orders, conclusion.holds, strict=True)
            orders = [order.pay(hold, fee_minor(order.total_minor, self._fee_bp), held.now) for order, hold in pay]
            changes.events += [told(order, EventId(self._ids()), checkout.traceparent) for order in orders]
            changes.made.add(scope)
            answer = self._answers.paid(ended, orders)
        else:
            ended = checkout.cancel(held.now)
            orders = [order.cancel(held.now) for order in orders]
            answer = self._refused(conclusion)
            if answer is None:
                changes.forgotten[scope] = checkout.id
        changes.ended_checkouts.append(ended)
        changes.changed_orders += orders
        if answer is not None:
            changes.answers[scope] = answer
        return ended, answer
