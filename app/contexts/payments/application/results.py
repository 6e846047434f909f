"""How the steps of a payment end."""

from dataclasses import dataclass

from app.contexts.payments.domain.outcome import FailureCode
from app.contexts.payments.domain.payment import Payment
from app.platform.idempotency.keys import Answered

__all__ = ["Answered", "StillPending"]


@dataclass(frozen=True, slots=True)
class StillPending:
    """The payment is not final, and nobody may guess: recovery will settle it. `why` it is not known yet."""

    payment: Payment
    why: FailureCode
