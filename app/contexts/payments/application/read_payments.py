"""Read payments and refunds: one by its id, or a page of those that somebody may see."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from app.contexts.payments.domain.ids import PaymentId, ProviderId, RefundId
from app.contexts.payments.domain.payment import Payment, Status
from app.contexts.payments.domain.refund import Refund
from app.contexts.payments.domain.refusals import PaymentNotFound, RefundNotFound
from app.kernel.ids import UserId
from app.kernel.principal import Principal, Role, TenantId

T = TypeVar("T")

READ_SCOPE: Final = "payments:read"
REFUND_SCOPE: Final = "payments:refund"

TenantOfKeys = Callable[[], Awaitable[TenantId | None]]
"""Whose the payments are that say of no tenant: those of the holders of API_KEYS."""


class SeenPayment(NamedTuple):
    """A payment, and what of it was given back, in minor units."""

    payment: Payment
    refunded_minor: int


class Place(NamedTuple):
    """A line by its time and id: where a page ends, and the next one begins."""

    at: datetime
    id: UUID


class PageOf(NamedTuple, Generic[T]):
    """Lines, newest first, and where the next page begins, if there is one."""

    lines: Sequence[T]
    next: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which payments are asked for: all, without anything said. `since` is included, `until` is not."""

    status: Status | None = None
    reference: str | None = None
    provider_id: ProviderId | None = None
    user_id: UserId | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class PaymentsReader(Protocol):
    """Reads payments and refunds. Each may raise `Unavailable`."""

    async def payment(self, payment_id: PaymentId) -> SeenPayment | None:
        """The payment with that id, whosever it is."""
        ...

    async def payments(
        self, tenants: Sequence[TenantId | None] | None, wanted: Filter, before: Place | None, limit: int
    ) -> Sequence[SeenPayment]:
        """Up to `limit` of these tenants' payments, where None stands for those that say of none; of all tenants'
        without tenants, but then of one user. Newest first, from behind a place on: of a payment, time and transaction.
        """
        ...

    async def refunds(self, payment_id: PaymentId, before: Place | None, limit: int) -> Sequence[Refund]:
        """Up to `limit` of the payment's refunds, newest first, from behind a place on."""
        ...

    async def refund(self, refund_id: RefundId) -> Refund | None:
        """The refund with that id, whosever it is."""
        ...


@dataclass(frozen=True, slots=True)
class ReadPayments:
    """Reads for those who may: whose payments they are, admins, and machines with a scope, both of the tenant's."""

    reader: PaymentsReader
    tenant_of_keys: TenantOfKeys

    async def one(self, asker: Principal, payment_id: PaymentId, *scopes: str) -> SeenPayment:
        """The payment with that id. Machines need one of the scopes.

        Raises:
            PaymentNotFound: there is none, or it is somebody else's.
            Unavailable: it cannot be known now.
        """
        seen = await self.reader.payment(payment_id)
        if seen is None or not await self._may_see(asker, seen.payment, scopes):
            raise PaymentNotFound
        return seen

    async def page(self, asker: Principal, wanted: Filter, before: Place | None, limit: int) -> PageOf[SeenPayment]:
        """Up to `limit` payments, from `before` on: the asker's own, or those that they see of the tenant's.

        Raises:
            Unavailable: it cannot be known now.
        """
        if _sees_all(asker, (READ_SCOPE,)):
            tenants: list[TenantId | None] | None = [asker.tenant_id]
            if await self.keeps_keys(asker.tenant_id):
                tenants = [asker.tenant_id, None]
        elif wanted.user_id in (None, asker.id):
            tenants, wanted = None, replace(wanted, user_id=UserId(asker.id))
        else:
            return PageOf((), None)  # others' are not there
        found = await self.reader.payments(tenants, wanted, before, limit + 1)
        return _page(found, limit, lambda seen: Place(seen.payment.created_at, seen.payment.transaction_id))

    async def refunds(
        self, asker: Principal, payment_id: PaymentId, before: Place | None, limit: int
    ) -> PageOf[Refund]:
        """Up to `limit` refunds of a payment, from `before` on.

        Raises:
            PaymentNotFound, Unavailable: see `one`.
        """
        await self.one(asker, payment_id, READ_SCOPE, REFUND_SCOPE)
        found = await self.reader.refunds(payment_id, before, limit + 1)
        return _page(found, limit, lambda refund: Place(refund.created_at, refund.id))

    async def refund(self, asker: Principal, refund_id: RefundId) -> Refund:
        """The refund with that id.

        Raises:
            RefundNotFound: there is none, or its payment is somebody else's.
            Unavailable: it cannot be known now.
        """
        refund = await self.reader.refund(refund_id)
        if refund is None:
            raise RefundNotFound
        try:
            await self.one(asker, refund.payment_id, READ_SCOPE, REFUND_SCOPE)
        except PaymentNotFound:
            raise RefundNotFound from None
        return refund

    async def keeps_keys(self, tenant_id: TenantId) -> bool:
        """Whether payments that say of no tenant are that tenant's.

        Raises:
            Unavailable: it cannot be known now.
        """
        return tenant_id == await self.tenant_of_keys()

    async def _may_see(self, asker: Principal, payment: Payment, scopes: Sequence[str]) -> bool:
        if not asker.is_machine and payment.user_id == asker.id:
            return True
        if not _sees_all(asker, scopes):
            return False
        return payment.tenant_id == asker.tenant_id or (
            payment.tenant_id is None and await self.keeps_keys(asker.tenant_id)
        )


def _sees_all(asker: Principal, scopes: Sequence[str]) -> bool:
    return asker.role is Role.ADMIN or not asker.scopes.isdisjoint(scopes)


def _page(found: Sequence[T], limit: int, place: Callable[[T], Place]) -> PageOf[T]:
    """The page of lines that were looked for, one more than there may be on it."""
    if len(found) <= limit:
        return PageOf(found, None)
    return PageOf(found[:limit], place(found[limit - 1]))
