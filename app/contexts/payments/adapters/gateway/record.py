"""The gateway's own record of its charges, where it serves one (the mock does)."""

import re
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from itertools import islice
from typing import Annotated
from uuid import UUID

import httpx
import msgspec

from app.contexts.payments.application.charges_match_payments import Charge

_LIMIT_S = 60.0
"""How long the gateway may take to begin its answer, and to go on with it."""
_PIECE_BYTES = 1 << 20
_MOST_BYTES = 16 * _PIECE_BYTES
"""Of what cannot be taken apart so much is held, and no more."""
_GUESSES = 8
"""How often it is tried to take a text apart: each time takes as long as reading it."""

# Of several entries for a payment the approved one counts: SQLite takes the columns from the row that max() has found.
_BY_PAYMENT = """
    SELECT payment_id, status, amount, currency, sum(max(made, 1)), max(status = 'APPROVED')
    FROM charges GROUP BY payment_id ORDER BY payment_id
"""


class NoRecord(Exception):  # noqa: N818 -- it says what there is
    """There is nothing to compare with; the message says why."""


class _Charge(msgspec.Struct, frozen=True, gc=False):
    payment_id: UUID
    status: str
    amount: int | None = None
    currency: str | None = None
    charges_made: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 1


class _Record(msgspec.Struct):
    charges: list[_Charge]


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_charges = msgspec.json.Decoder(list[_Charge]).decode
_openings = re.compile(rb'"charges"\s*:\s*\[').finditer
_first_member = re.compile(rb'\s*\{\s*("[^"\\]{1,100}")').match


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
            async for charges in _read(client):
                rows.executemany("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", map(_row, charges))
            record = GatewayRecord(rows.execute(_BY_PAYMENT))  # which sorts them
        except sqlite3.Error as error:
            raise NoRecord(f"it could not be kept in a temporary file ({error})") from None
        yield record


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
    begin = _begin(text)
    # What looks like a joint between two entries may be in the middle of one: then what is before it is not JSON.
    for joint in reversed(_joints(text, begin)):
        try:
            charges = _decode_charges(b"[%b]" % text[begin : joint.start(1)])
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            continue
        return charges, b'{"charges":[' + text[joint.end(1) :]
    if len(text) > _MOST_BYTES:
        raise NoRecord("what GATEWAY_URL serves is not one")
    return (), text


def _begin(text: bytes) -> int:
    """Where the first charge begins; at the end of the text, if it is not there yet."""
    for opening in islice(_openings(text), _GUESSES):
        # A member of the record's own, not of something in it: with nothing behind it there is a record.
        with suppress(msgspec.DecodeError):
            _decode_record(text[: opening.start()] + b'"charges":[]}')
            return opening.end()
    return len(text)


def _joints(text: bytes, begin: int) -> Sequence[re.Match[bytes]]:
    """The last few places that look like what parts two entries, those that begin with the member of the first."""
    member = _first_member(text, begin)
    if member is None:
        return ()
    joints = re.compile(rb"\}(\s*,\s*)\{\s*" + re.escape(member[1]))
    return deque(joints.finditer(text, max(begin, len(text) - _PIECE_BYTES)), _GUESSES)
