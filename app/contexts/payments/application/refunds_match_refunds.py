"""The gateway's own record of refunds, compared with the books."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.contexts.payments.domain.refund import RefundStatus

REFUNDED = "REFUNDED"
"""The gateway's word for money that it gave back."""


class GatewayRefund(NamedTuple):
    """What the gateway holds of a refund; the amount in minor units."""

    refund_id: UUID
    payment_id: UUID
    status: str
    amount: int
    currency: str


class BookedRefund(NamedTuple):
    """A refund as the books have it. `is_due`: it was final before the record was read."""

    refund_id: UUID
    payment_id: UUID
    status: str
    amount: int
    currency: str
    is_due: bool


@dataclass(frozen=True, slots=True)
class RefundsMatchRefunds:
    """What the gateway has given back is a completed refund here, once, and every completed one was given back.

    Both come in the order of refunds' ids and go by in pairs: neither is ever held. The record is older than the books,
    so each of its refunds is there; one settled since is not held against it.
    """

    given_back: Callable[[], Iterator[GatewayRefund]]
    refunds: Callable[[], AsyncIterator[BookedRefund]]
    name: str = "refunds_match_the_gateway"
    claim: str = "the gateway gave back what is completed here, once and as much, and nothing else"

    async def offenders(self) -> AsyncIterator[str]:
        """Refunds of both sides that contradict each other."""
        theirs = self.given_back()
        one = next(theirs, None)
        async for refund in self.refunds():
            while one is not None and one.refund_id < refund.refund_id:
                if stray := _stray(one):
                    yield stray
                one = next(theirs, None)
            of_it = []
            while one is not None and one.refund_id == refund.refund_id:
                of_it.append(one)
                one = next(theirs, None)
            if why := _why(refund, [each for each in of_it if each.status == REFUNDED]):
                yield f"refund {refund.refund_id} is {refund.status}{why}"
        while one is not None:
            if stray := _stray(one):
                yield stray
            one = next(theirs, None)


def _stray(given_back: GatewayRefund) -> str | None:
    if given_back.status != REFUNDED:
        return None
    return f"the gateway has given back refund {given_back.refund_id}, which does not exist"


def _why(refund: BookedRefund, given_back: list[GatewayRefund]) -> str | None:
    if len(given_back) > 1:
        return f", it was given back {len(given_back)} times"
    if given_back:
        (there,) = given_back
        if (there.payment_id, there.amount, there.currency) != (refund.payment_id, refund.amount, refund.currency):
            return (
                f" with {refund.amount} {refund.currency} of payment {refund.payment_id}, given back were "
                f"{there.amount} {there.currency} of payment {there.payment_id}"
            )
    if not refund.is_due:
        return None
    if refund.status == RefundStatus.COMPLETED:
        return None if given_back else ", the gateway has given nothing back"
    return ", the gateway has given it back" if given_back and refund.status == RefundStatus.REFUSED else None
