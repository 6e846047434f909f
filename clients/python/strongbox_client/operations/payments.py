"""Payments, whoever pays: what becomes of one is a type."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.signature import Key

Status = Literal["PENDING", "APPROVED", "DECLINED", "FAILED"]


class Payment(Struct, frozen=True, kw_only=True, tag_field="status"):
    """A payment out of a wallet: an `Approved`, `Declined`, `Pending` or `Failed` one. Amounts are minor units."""

    payment_id: UUID
    transaction_id: UUID
    user_id: UUID
    provider_id: UUID
    external_reference: str
    amount: int
    currency: str
    failure_code: str | None
    created_at: datetime
    finalized_at: datetime | None


class Approved(Payment, frozen=True, kw_only=True, tag="APPROVED"):
    """It is paid."""

    status: ClassVar[Status] = "APPROVED"


class Declined(Payment, frozen=True, kw_only=True, tag="DECLINED"):
    """The gateway would not, which `failure_code` says why; the money is back."""

    status: ClassVar[Status] = "DECLINED"


class Pending(Payment, frozen=True, kw_only=True, tag="PENDING"):
    """Nobody knows yet; the money is set aside."""

    status: ClassVar[Status] = "PENDING"


class Failed(Payment, frozen=True, kw_only=True, tag="FAILED"):
    """It is known that no charge stands; the money is back."""

    status: ClassVar[Status] = "FAILED"


class ApprovedPayment(Approved, frozen=True, kw_only=True, tag="APPROVED"):
    """An approved one, with what of it was given back."""

    refunded: int
    metadata: dict[str, str]


class DeclinedPayment(Declined, frozen=True, kw_only=True, tag="DECLINED"):
    """A declined one."""

    refunded: int
    metadata: dict[str, str]


class PendingPayment(Pending, frozen=True, kw_only=True, tag="PENDING"):
    """One that is pending."""

    refunded: int
    metadata: dict[str, str]


class FailedPayment(Failed, frozen=True, kw_only=True, tag="FAILED"):
    """One that failed."""

    refunded: int
    metadata: dict[str, str]


class Refund(Struct, frozen=True):
    """What of a payment goes back: a promise, until the gateway has done it (`COMPLETED`) or refused (`REFUSED`)."""

    refund_id: UUID
    payment_id: UUID
    user_id: UUID
    amount: int
    currency: str
    status: Literal["PENDING", "COMPLETED", "REFUSED"]
    reason: str | None
    failure_code: str | None
    created_at: datetime
    finalized_at: datetime | None


class Payments(Resource[W]):
    """Payments of users under `/v1`: one's own; a machine with `payments:write` names whose."""

    @operation("POST", "/v1/payments")
    def pay(
        self,
        *,
        provider_id: UUID | str,
        external_reference: str,
        amount: int,
        currency: str,
        user_id: UUID | str | None = None,
        metadata: Mapping[str, str] | None = None,
        key: Key = None,
    ) -> ApprovedPayment | DeclinedPayment:
        """Pay a provider, once.

        Raises:
            InsufficientFunds: the wallet does not hold as much.
            GatewayError, GatewayTimeout: it failed, and the money is back.
            OutcomeUnknown: not known by the deadline; the same key tells.
        """

    @listing("/v1/payments", "payments")
    def list(
        self,
        *,
        status: Status | None = None,
        reference: str | None = None,
        provider_id: UUID | str | None = None,
        user_id: UUID | str | None = None,
        from_: datetime | None = None,
        to: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> ApprovedPayment | DeclinedPayment | PendingPayment | FailedPayment:
        """The newest first: one's own; for admins, and machines with `payments:read`, the tenant's."""

    @operation("GET", "/v1/payments/{payment_id}")
    def get(self, payment_id: UUID | str) -> ApprovedPayment | DeclinedPayment | PendingPayment | FailedPayment:
        """One of them."""

    @operation("POST", "/v1/payments/{payment_id}/refunds")
    def refund(
        self, payment_id: UUID | str, *, amount: int | None = None, reason: str | None = None, key: Key = None
    ) -> Refund:
        """Give back what is left of a payment, or this much of it. For admins, and machines with `payments:refund`.

        Raises:
            PaymentState: only an approved payment is refunded.
            RefundTooLarge: less is left.
            OutcomeUnknown: the promise stands, and is kept; the same key tells when.
        """

    @listing("/v1/payments/{payment_id}/refunds", "refunds")
    def refunds(self, payment_id: UUID | str, *, limit: int | None = None, cursor: str | None = None) -> Refund:
        """A payment's refunds, the newest first."""

    @operation("GET", "/v1/refunds/{refund_id}")
    def get_refund(self, refund_id: UUID | str) -> Refund:
        """A refund."""
