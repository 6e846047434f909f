"""What a gateway's answers mean for a payment.

A charge request ends in `Approved`, `Declined`, `Voided`, `NotSent` or `Unknown`; a question about it in
`Approved`, `Declined`, `Voided`, `Absent`, `Mismatched` or `Unknown`; a void in `Voided`, `Declined` or
`Unknown`. A refund's request ends in `Refunded`, `RefundRefused` or `Unknown`, a question about it in `Absent`, too.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FailureCode(StrEnum):
    """Why a payment failed. A declined payment carries the gateway's own decline code instead."""

    GATEWAY_ERROR = "GATEWAY_ERROR"
    """The gateway answered, with an error or with nonsense."""
    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT"
    """The gateway did not answer."""
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    """The request's time was over before the gateway was asked."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A charge of the payment's amount and currency stands."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The gateway refused the charge for good; none stands and none will."""

    decline_code: str


@dataclass(frozen=True, slots=True)
class Voided:
    """The gateway confirmed a tombstone: no charge stands, and a late one will be refused."""

    why: FailureCode


@dataclass(frozen=True, slots=True)
class NotSent:
    """No attempt of the payment wrote a byte to a connection: the gateway cannot know of it."""

    why: FailureCode


@dataclass(frozen=True, slots=True)
class Unknown:
    """No outcome. The charge may stand, or may yet come to."""

    why: FailureCode


@dataclass(frozen=True, slots=True)
class Absent:
    """Asked, the gateway has not seen the payment so far. It may be on its way: not an outcome."""


@dataclass(frozen=True, slots=True)
class Mismatched:
    """Asked, the gateway holds a charge of another amount, currency or payment: not an outcome."""


Outcome = Approved | Declined | Voided | NotSent
"""What settles a payment."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """The gateway has given the money back, this once."""


@dataclass(frozen=True, slots=True)
class RefundRefused:
    """The gateway has not given the money back, and never will under this id."""

    code: str


RefundOutcome = Refunded | RefundRefused
"""What settles a refund."""

CHARGE_GONE: Final = "charge_gone"
"""Why a refund is refused whose charge does not stand at the gateway."""
