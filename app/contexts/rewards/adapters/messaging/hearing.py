"""The documents of `rewards.queue`, as what they tell."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import psycopg
import structlog
from msgspec import Meta, Struct
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from app.contexts.rewards.application.hear import Failed, GaveBack, Heard, Linked, Minted, Sold
from app.contexts.rewards.domain.ids import EntryId, RefundId
from app.contexts.rewards.domain.refusals import Contradiction
from app.contexts.rewards.domain.sale import Sale, Source
from app.kernel.ids import EventId, UserId
from app.kernel.money import MAX_MINOR, Currency, Money
from app.kernel.principal import TenantId
from app.platform.messaging.inbox_database import DatabaseAway
from app.platform.messaging.received_events import Event, Malformed, decoded, known_trace
from app.platform.postgres.errors import Fault, NotReplicated, Retry, fault

_NOT_NOW: Final = (Retry, NotReplicated, psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests)
_log = structlog.get_logger(__name__)
_ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
_NOBODY: Final = "0x" + 40 * "0"

Minor = Annotated[int, Meta(ge=1)]
_Code = Annotated[str, Meta(pattern=r"\A[A-Z]{3,5}\Z")]
_Line = Annotated[str, Meta(min_length=1, max_length=1_000)]


class _Told(Event, frozen=True, gc=False):
    """An event, and for which tenant it happened, where it says so."""

    tenantid: UUID | None = None
    traceparent: str | None = None


class _User(Struct, frozen=True):
    user_id: UUID
    tenant_id: UUID
    wallet_address: str | None


class _Payment(Struct, frozen=True):
    payment_id: UUID
    user_id: UUID
    provider_id: UUID
    amount: Minor
    currency: _Code


class _Refund(Struct, frozen=True):
    refund_id: UUID
    payment_id: UUID
    user_id: UUID
    amount: Minor
    currency: _Code


class _Order(Struct, frozen=True):
    order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    total: Minor
    currency: _Code


class _Minted(Struct, frozen=True):
    request_id: UUID
    entry_id: UUID
    user_id: UUID
    tx_hash: _Line


class _Failed(Struct, frozen=True):
    request_id: UUID
    entry_id: UUID
    user_id: UUID
    reason: _Line


_events: Final = msgspec.json.Decoder(_Told, strict=False)


class Hearing:
    """Has the effects of documents: the handler of `rewards.queue`. Types of which nothing is known have none."""

    def __init__(self, hear: Callable[[Sequence[Heard]], Awaitable[None]]) -> None:
        self._hear = hear

    async def __call__(self, documents: Sequence[bytes]) -> None:
        """Have the effect of each, once for each event's id.

        Raises:
            Malformed: one of the documents is none of these events, or tells what cannot be.
            DatabaseAway: nothing can be done for now.
        """
        events: dict[EventId, Heard] = {}
        for document in documents:
            told = decoded(_events, document)
            if told.type in _READ:
                events.setdefault(EventId(told.id), _heard(told))
        if not events:
            return
        try:
            await self._hear(list(events.values()))
        except Contradiction as error:
            _log.error("cashback_contradicted", reason=str(error))
            raise Malformed(str(error)) from None
        except _NOT_NOW as error:
            if fault(error) is Fault.OTHER:
                raise
            raise DatabaseAway(type(error).__name__) from error


def _heard(told: _Told) -> Heard:
    fact, tenant = _READ[told.type](told)
    tenant = tenant or told.tenantid
    return Heard(EventId(told.id), fact, None if tenant is None else TenantId(tenant), known_trace(told.traceparent))


def _linked(told: _Told) -> tuple[Linked, UUID]:
    user = told.data_as(_User)
    address = user.wallet_address
    if address is not None and (not _ADDRESS.fullmatch(address) or address == _NOBODY):
        raise Malformed("data: wallet_address is no address")
    return Linked(UserId(user.user_id), told.sequence, address and address.lower()), user.tenant_id


def _paid(told: _Told) -> tuple[Sold, None]:
    payment = told.data_as(_Payment)
    return _sold(
        Source.PAYMENT, payment.user_id, payment.provider_id, payment.payment_id, payment.amount, payment.currency,
        told.time,
    ), None  # fmt: skip


def _ordered(told: _Told) -> tuple[Sold, None]:
    order = told.data_as(_Order)
    return _sold(
        Source.ORDER, order.buyer_id, order.seller_id, order.order_id, order.total, order.currency, told.time
    ), None


def _sold(
    source: Source, user_id: UUID, merchant: UUID, reference: UUID, amount_minor: int, currency: str, at: datetime
) -> Sold:
    money = _money(amount_minor, currency)
    try:
        at = at.astimezone(UTC)
    except OverflowError:  # what PostgreSQL would keep, and nobody could read
        raise Malformed("time: it is in no year from 1 to 9999") from None
    return Sold(
        Sale(
            user_id=UserId(user_id), source=source, merchant=str(merchant), reference=str(reference),
            money=money, at=at,
        )
    )  # fmt: skip


def _gave_back(told: _Told) -> tuple[GaveBack, None]:
    refund = told.data_as(_Refund)
    money = _money(refund.amount, refund.currency)
    return GaveBack(UserId(refund.user_id), refund.payment_id, RefundId(refund.refund_id), money), None


def _money(amount_minor: int, currency: str) -> Money:
    if amount_minor > MAX_MINOR:
        raise Malformed("data: the amount is too large")
    return Money(amount_minor, Currency(currency))


def _minted(told: _Told) -> tuple[Minted, None]:
    minted = told.data_as(_Minted)
    return Minted(UserId(minted.user_id), EntryId(minted.entry_id), minted.request_id, minted.tx_hash), None


def _failed(told: _Told) -> tuple[Failed, None]:
    failed = told.data_as(_Failed)
    return Failed(UserId(failed.user_id), EntryId(failed.entry_id), failed.request_id, failed.reason), None


_READ: Final[Mapping[str, Callable[[_Told], tuple[Any, UUID | None]]]] = {
    **dict.fromkeys(("user.registered", "user.address_linked", "user.disabled", "user.enabled"), _linked),
    "payment.completed": _paid,
    "refund.completed": _gave_back,
    "order.completed": _ordered,
    "mint.completed": _minted,
    "mint.failed": _failed,
}
"""What is known of, by type."""
