"""The gateway's own record of its charges and refunds, where it serves one (the mock does)."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Annotated, Final
from uuid import UUID

import httpx
import msgspec

from app.contexts.payments.adapters.gateway.listing import Listing, NoRecord
from app.contexts.payments.application.charges_match_payments import Charge
from app.contexts.payments.application.refunds_match_refunds import GatewayRefund

# Of several entries for a payment the approved one counts: SQLite takes the columns from the row that max() has found.
_BY_PAYMENT = """
    SELECT payment_id, status, amount, currency, sum(max(made, 1)), max(status = 'APPROVED')
    FROM charges GROUP BY payment_id ORDER BY payment_id
"""


class _Charge(msgspec.Struct, frozen=True, gc=False):
    payment_id: UUID
    status: str
    amount: int | None = None
    currency: str | None = None
    charges_made: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 1


class _Refund(msgspec.Struct, frozen=True, gc=False):
    refund_id: UUID
    payment_id: UUID
    status: str
    amount: int
    currency: str


CHARGES: Final = Listing("admin/charges", "charges", _Charge)
REFUNDS: Final = Listing("admin/refunds", "refunds", _Refund)


class GatewayRecord:
    """What the gateway held when it was read: in a temporary file, so that memory stays bounded."""

    def __init__(self, found: sqlite3.Cursor) -> None:
        self._found = found

    def charges(self) -> Iterator[Charge]:
        """One for each payment that has any charge or tombstone, in the order of payment ids; once.

        Of a payment with several entries each counts as a charge, and an approved one says how it stands.
        """
        for payment_id, status, amount, currency, charges_made, _ in self._found:
            yield Charge(UUID(bytes=payment_id), status, amount and int(amount), currency, charges_made)


@asynccontextmanager
async def gateway_record(client: httpx.AsyncClient) -> AsyncIterator[GatewayRecord]:
    """Read the gateway's record, and keep it until the end.

    Raises:
        NoRecord: the gateway serves none, or it cannot be read to its end.
    """
    with closing(sqlite3.connect("")) as rows:  # the name of a file that is this connection's own, and gone with it
        try:
            # The amount as text: what a gateway claims may be larger than the column's largest number.
            rows.execute(
                "CREATE TABLE charges (payment_id BLOB, status TEXT, amount TEXT, currency TEXT, made INTEGER)"
            )
            async for charges in CHARGES.read(client):
                rows.executemany("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", map(_row, charges))
            record = GatewayRecord(rows.execute(_BY_PAYMENT))  # which sorts them
        except sqlite3.Error as error:
            raise NoRecord(f"it could not be kept in a temporary file ({error})") from None
        yield record


def _row(charge: _Charge) -> tuple[object, ...]:
    amount = None if charge.amount is None else str(charge.amount)
    return charge.payment_id.bytes, charge.status, amount, charge.currency, charge.charges_made


class GatewayRefundRecord:
    """What the gateway has given back when it was read: kept as charges are."""

    def __init__(self, found: sqlite3.Cursor) -> None:
        self._found = found

    def refunds(self) -> Iterator[GatewayRefund]:
        """Each entry, in the order of refunds' ids; once."""
        for refund_id, payment_id, status, amount, currency in self._found:
            yield GatewayRefund(UUID(bytes=refund_id), UUID(bytes=payment_id), status, int(amount), currency)


@asynccontextmanager
async def gateway_refunds(client: httpx.AsyncClient) -> AsyncIterator[GatewayRefundRecord]:
    """Read the gateway's record of refunds, and keep it until the end.

    Raises:
        NoRecord: the gateway serves none, or it cannot be read to its end.
    """
    with closing(sqlite3.connect("")) as rows:
        try:
            rows.execute(
                "CREATE TABLE refunds (refund_id BLOB, payment_id BLOB, status TEXT, amount TEXT, currency TEXT)"
            )
            async for refunds in REFUNDS.read(client):
                rows.executemany(
                    "INSERT INTO refunds VALUES (?, ?, ?, ?, ?)",
                    ((r.refund_id.bytes, r.payment_id.bytes, r.status, str(r.amount), r.currency) for r in refunds),
                )
            record = GatewayRefundRecord(rows.execute("SELECT * FROM refunds ORDER BY refund_id"))
        except sqlite3.Error as error:
            raise NoRecord(f"it could not be kept in a temporary file ({error})") from None
        yield record
