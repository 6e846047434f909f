"""The gateway's own record, compared with the books."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from app.contexts.payments.domain.payment import Status


class Charge(NamedTuple):
    """What the gateway holds for a payment. `charges_made` counts the charges that were ever made for it."""

    payment_id: UUID
    status: str
    amount: int | None
    currency: str | None
    charges_made: int


class BookedPayment(NamedTuple):
    """A payment as the books have it; the amount in minor units. `is_due`: it was final before the record was read."""

    payment_id: UUID
    status: str
    amount: int
    currency: str
    is_due: bool


@dataclass(frozen=True, slots=True)
class ChargesMatchPayments:
    """Every approved payment has one standing charge, every other final one has none, every charge its payment.

    Both come in the order of payment ids and go by in pairs: neither is ever held. The record is older than the
    books, so each of its charges has its payment there; a payment settled since the record was begun is not held
    against it: its charge may have come after.
    """

    charges: Callable[[], Iterator[Charge]]
    """At most one for each payment."""
    payments: Callable[[], AsyncIterator[BookedPayment]]
    name: str = "charges_match_payments"
    claim: str = "an approved payment has one standing charge of its amount, any other final one none"

    async def offenders(self) -> AsyncIterator[str]:
        """Payments and charges that contradict each other."""
        charges = self.charges()
        charge = next(charges, None)
        async for payment in self.payments():
            while charge is not None and charge.payment_id < payment.payment_id:
                if stray := _stray(charge):
                    yield stray
                charge = next(charges, None)
            of_it = None
            if charge is not None and charge.payment_id == payment.payment_id:
                of_it, charge = charge, next(charges, None)
            if contradiction := _contradiction(payment, of_it):
                yield contradiction
        while charge is not None:
            if stray := _stray(charge):
                yield stray
            charge = next(charges, None)


def _stray(charge: Charge) -> str | None:
    if charge.status != Status.APPROVED:
        return None
    return f"the gateway holds a charge for payment {charge.payment_id}, which does not exist"


def _contradiction(payment: BookedPayment, charge: Charge | None) -> str | None:
    why = _why(payment, charge)
    return why and f"payment {payment.payment_id} is {payment.status}{why}"


def _why(payment: BookedPayment, charge: Charge | None) -> str | None:
    if charge is not None and charge.charges_made > 1:
        return f", it was charged {charge.charges_made} times"
    if not payment.is_due:
        return None
    stands = charge is not None and charge.status == Status.APPROVED
    if payment.status != Status.APPROVED:
        return ", its charge stands" if stands else None
    if charge is None or not stands:
        return ", no charge of it stands"
    if charge.amount != payment.amount or charge.currency != payment.currency:
        return f" with {payment.amount} {payment.currency}, charged {charge.amount} {charge.currency}"
    return None
