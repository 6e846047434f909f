"""The outside gateway, and the way to it, as the use cases need them."""

from typing import Protocol, Self

from app.contexts.payments.domain.outcome import Absent, Approved, Declined, Mismatched, NotSent, Unknown, Voided
from app.contexts.payments.domain.payment import Payment


class Slot(Protocol):
    """A place in the bulkhead, held from before anything is claimed until the payment's calls are over."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Gate(Protocol):
    """The way to the gateway for a new payment: breaker and bulkhead."""

    def enter(self) -> Slot:
        """Take a slot, at once.

        Raises:
            GatewayUnavailable: the breaker is open or the bulkhead is full.
        """
        ...


class Gateway(Protocol):
    """The outside gateway. No method raises for anything the gateway or the network does.

    `deadline` is a time of the running event loop (`loop.time()`), by which the answer is there.
    """

    async def charge(self, payment: Payment, deadline: float) -> Approved | Declined | Voided | NotSent | Unknown:
        """Charge the payment, retrying while there is time left to ask, void and settle."""
        ...

    async def ask(
        self, payment: Payment, deadline: float
    ) -> Approved | Declined | Voided | Absent | Mismatched | Unknown:
        """Ask what became of the payment's charge."""
        ...

    async def void(self, payment: Payment, deadline: float) -> Voided | Declined | Unknown:
        """See to it that no charge stands for the payment, now or later."""
        ...
