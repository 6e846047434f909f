"""A payment and its state machine: PENDING → APPROVED, DECLINED or FAILED, once and for good."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from app.contexts.funds.public import TransactionId
from app.contexts.payments.domain.ids import PaymentId, ProviderId
from app.contexts.payments.domain.outcome import Approved, Declined, Outcome, Voided
from app.kernel.ids import UserId
from app.kernel.money import Money
from app.kernel.principal import TenantId


class Status(StrEnum):
    """Where a payment stands. All but PENDING are final."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"


class NotSettled(Exception):  # noqa: N818 -- it tells where the payment stands
    """The outcome does not finish this payment: it is final already, or marked for a void."""


class Payment(NamedTuple):
    """A payment out of a user's wallet to a provider. Times are the database's, in UTC.

    `asked_by` is who asked on `/v1`, where the key is theirs, with what they noted; elsewhere there is none, and the
    key is its user's. Without a tenant it is that of the holders of API_KEYS.
    """

    id: PaymentId
    transaction_id: TransactionId
    user_id: UserId
    idempotency_key: str
    provider_id: ProviderId
    external_reference: str
    money: Money
    created_at: datetime
    status: Status = Status.PENDING
    failure_code: str | None = None
    void_requested_at: datetime | None = None
    finalized_at: datetime | None = None
    traceparent: str | None = None
    tenant_id: TenantId | None = None
    asked_by: UUID | None = None
    metadata: Mapping[str, str] | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status will never change again."""
        return self.status is not Status.PENDING

    def mark_for_void(self, at: datetime) -> "Payment":
        """The payment with its void announced. From here on only a confirmed void or a decline finishes it.

        Raises:
            NotSettled: the payment is final already.
        """
        if self.is_final:
            raise NotSettled
        return self if self.void_requested_at else self._replace(void_requested_at=at)

    def settle(self, outcome: Outcome, at: datetime) -> "Payment":
        """The payment, final.

        An approval, or the certainty that nothing was sent, was learned before some other process announced a
        void that may reach the gateway at any moment: against that mark neither counts.

        Raises:
            NotSettled: the payment is final already, or marked and the outcome is not the void's.
        """
        if self.is_final:
            raise NotSettled
        if self.void_requested_at and not isinstance(outcome, Voided | Declined):
            raise NotSettled
        at = max(at, self.created_at)  # the clock may have gone back
        match outcome:
            case Approved():
                return self._replace(status=Status.APPROVED, finalized_at=at)
            case Declined(decline_code):
                return self._replace(status=Status.DECLINED, failure_code=decline_code, finalized_at=at)
            case _:
                return self._replace(status=Status.FAILED, failure_code=outcome.why.value, finalized_at=at)
