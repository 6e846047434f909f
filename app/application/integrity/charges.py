"""The gateway's own record, compared with the books."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Charge:
    """What the gateway holds for a payment. `charges_made` counts the charges that ever came to stand for it."""

    payment_id: UUID
    status: str
    amount: int | None
    currency: str | None
    charges_made: int


@dataclass(frozen=True, slots=True)
class BookedPayment:
    """A payment as the books have it; the amount in minor units."""

    payment_id: UUID
    status: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class ChargesMatchPayments:
    """Every approved payment has one standing charge, every other final one has none, every charge its payment.

    The record is older than the books. What seems to contradict it is asked about again before it counts.
    """

    record: Sequence[Charge]
    payments: Callable[[], AsyncIterator[BookedPayment]]
    ask: Callable[[UUID], Awaitable[str | None]]
    """The charge's status at the gateway now; None when it has not seen the payment."""
    name: str = "charges_match_payments"
    claim: str = "an approved payment has one standing charge of its amount, any other final one none"

    async def offenders(self) -> AsyncIterator[str]:
        """Payments and charges that contradict each other."""
        charges = {charge.payment_id: charge for charge in self.record}
        async for payment in self.payments():
            charge = charges.pop(payment.payment_id, None)
            if contradiction := _contradiction(payment, charge):
                now = await self.ask(payment.payment_id)
                unchanged = charge is not None and (charge.charges_made > 1 or now == charge.status)
                if unchanged or (now == "APPROVED") != (payment.status == "APPROVED"):
                    yield contradiction
        for charge in charges.values():
            if charge.status == "APPROVED":
                yield f"the gateway holds a charge for payment {charge.payment_id}, which does not exist"


def _contradiction(payment: BookedPayment, charge: Charge | None) -> str | None:
    told = f"payment {payment.payment_id} is {payment.status}"
    if charge is not None and charge.charges_made > 1:
        return f"{told}, it was charged {charge.charges_made} times"
    if payment.status == "PENDING":
        return None
    stands = charge is not None and charge.status == "APPROVED"
    if payment.status != "APPROVED":
        return f"{told}, its charge stands" if stands else None
    if charge is None or not stands:
        return f"{told}, no charge of it stands"
    if (charge.amount, charge.currency) != (payment.amount, payment.currency):
        return f"{told} with {payment.amount} {payment.currency}, charged {charge.amount} {charge.currency}"
    return None
