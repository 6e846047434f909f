"""The gateway's own record of its charges, where it serves one (the mock does)."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import msgspec

from app.application.integrity.charges import Charge

_LIMIT_S = 60.0
"""How long the gateway may take to begin its answer, and to go on with it."""
_PIECE_BYTES = 1 << 20
_MOST_BYTES = 16 * _PIECE_BYTES
"""Of what cannot be taken apart so much is held, and no more."""


class NoRecord(Exception):  # noqa: N818 -- it says what there is
    """There is nothing to compare with; the message says why."""


class _Charge(msgspec.Struct, frozen=True, gc=False):
    payment_id: UUID
    status: str
    amount: int | None = None
    currency: str | None = None
    charges_made: int = 1


class _Record(msgspec.Struct):
    charges: list[_Charge]


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_charges = msgspec.json.Decoder(list[_Charge]).decode
_opening = re.compile(rb'\s*\{\s*"charges"\s*:\s*\[').match
# Inside a string a quote is escaped: of what only looks like a joint there is at most one at a string's end.
_joints = re.compile(rb'\}(\s*,\s*)\{\s*"').finditer


class GatewayRecord:
    """What the gateway held when it was read: in a temporary file, so that memory stays bounded."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows

    def charges(self) -> Iterator[Charge]:
        """One for each payment that has any charge or tombstone, in the order of payment ids."""
        found = self._rows.execute(
            "SELECT payment_id, status, amount, currency, sum(made) FROM charges GROUP BY payment_id ORDER BY 1"
        )
        for payment_id, status, amount, currency, charges_made in found:
            yield Charge(UUID(bytes=payment_id), status, amount and int(amount), currency, charges_made)


@asynccontextmanager
async def gateway_record(client: httpx.AsyncClient) -> AsyncIterator[GatewayRecord]:
    """Read the gateway's record, and keep it until the end.

    Raises:
        NoRecord: the gateway serves none, or it cannot be read to its end.
    """
    rows = sqlite3.connect("")  # the name of a file that is this connection's own, and gone with it
    try:
        # The amount as text: what a gateway claims may be larger than the column's largest number.
        rows.execute("CREATE TABLE charges (payment_id BLOB, status TEXT, amount TEXT, currency TEXT, made INTEGER)")
        async for charges in _read(client):
            rows.executemany("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", map(_row, charges))
        yield GatewayRecord(rows)
    finally:
        rows.close()


def _row(charge: _Charge) -> tuple[object, ...]:
    amount = None if charge.amount is None else str(charge.amount)
    return charge.payment_id.bytes, charge.status, amount, charge.currency, charge.charges_made


async def _read(client: httpx.AsyncClient) -> AsyncIterator[Sequence[_Charge]]:
    """What is in `{"charges": [...]}`, some at a time."""
    try:
        async with client.stream("GET", "admin/charges", timeout=_LIMIT_S) as answer:
            if not answer.is_success:
                raise NoRecord("GATEWAY_URL does not serve one")
            text = b""
            async for piece in answer.aiter_bytes(_PIECE_BYTES):
                text += piece
                if len(text) > _PIECE_BYTES:
                    charges, text = _first(text)
                    yield charges
            yield _decode_record(text).charges
    except httpx.HTTPError as error:
        raise NoRecord(f"it could not be read ({type(error).__name__})") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NoRecord("what GATEWAY_URL serves is not one") from None


def _first(text: bytes) -> tuple[Sequence[_Charge], bytes]:
    """The charges at the beginning of an unfinished record, and the record without them."""
    opening = _opening(text)
    if opening is None:
        raise NoRecord("what GATEWAY_URL serves is not one")
    # What looks like a joint between two entries may be in the middle of one: then what is before it is not JSON.
    for joint in reversed(list(_joints(text, max(opening.end(), len(text) - _PIECE_BYTES)))):
        try:
            charges = _decode_charges(b"[%b]" % text[opening.end() : joint.start(1)])
        except msgspec.DecodeError as error:
            if isinstance(error, msgspec.ValidationError):
                raise
        else:
            return charges, opening.group() + text[joint.end(1) :]
    if len(text) > _MOST_BYTES:
        raise NoRecord("what GATEWAY_URL serves is not one")
    return (), text
