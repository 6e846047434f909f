"""How the steps of a payment end."""

from dataclasses import dataclass

from app.application.ports import Answer
from app.domain.payments.payment import Payment
from app.domain.payments.provider import FailureCode


@dataclass(frozen=True, slots=True)
class Answered:
    """The request has its final answer, stored under its key. `replayed`: another run of it stored that."""

    answer: Answer
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class StillPending:
    """The payment is not final, and nobody may guess: recovery will settle it. `why` it is not known yet."""

    payment: Payment
    why: FailureCode
