"""The answers that are stored with their key, and sent again byte for byte."""

from typing import Protocol

from app.contexts.funds.public import InsufficientFunds
from app.contexts.payments.domain.payment import Payment
from app.platform.idempotency.keys import Answer


class Answers(Protocol):
    """Makes the responses that are stored with their key."""

    def settled(self, payment: Payment) -> Answer:
        """The response to a payment that is final."""
        ...

    def refused(self, refusal: InsufficientFunds) -> Answer:
        """The response to a payment that the wallet could not pay."""
        ...
