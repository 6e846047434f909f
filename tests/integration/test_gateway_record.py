"""The gateway's record is read in pieces, whatever they cut through, and what is not one is said to be none."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.adapters.gateway import record
from app.adapters.gateway.record import NoRecord, gateway_record
from app.application.integrity.charges import Charge


class Pieces(httpx.AsyncByteStream):
    def __init__(self, body: bytes, size: int, error: Exception | None = None) -> None:
        self._body, self._size, self._error = body, size, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), self._size):
            yield self._body[start : start + self._size]
        if self._error:
            raise self._error


async def read(body: bytes, size: int = 100, status: int = 200, error: Exception | None = None) -> list[Charge]:
    """What comes of an answer in pieces of that size."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, stream=Pieces(body, size, error))

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://gateway/v2") as client,
        gateway_record(client) as found,
    ):
        return list(found.charges())


def entry(nth: int, **members: Any) -> dict[str, Any]:
    known = {"payment_id": str(uuid.UUID(int=nth)), "status": "APPROVED", "amount": nth, "currency": "USD"}
    return known | {"charges_made": 1, "attempts": {"charge": 1}, "tags": [{"a": 1}, {"a": 2}]} | members


REFERENCES = ["plain", "},{", '"},{"', "\\", '\\"},{"payment_id":"', "}]}", "é€"]


@pytest.mark.parametrize("size", [20, 64, 1000])
@pytest.mark.parametrize("separators", [(",", ":"), (" ,\n ", " : ")])
async def test_every_entry_is_found_wherever_the_pieces_are_cut(
    size: int, separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """References that look like what parts two entries are no trouble."""
    monkeypatch.setattr(record, "_PIECE_BYTES", size)
    entries = [entry(nth, external_reference=REFERENCES[nth % len(REFERENCES)]) for nth in range(40, 0, -1)]
    body = json.dumps({"charges": entries, "more": {"next": None}}, separators=separators).encode()
    found = await read(body, size)
    assert found == [Charge(uuid.UUID(int=nth), "APPROVED", nth, "USD", 1) for nth in range(1, 41)]


async def test_two_entries_of_a_payment_are_two_charges() -> None:
    (found,) = await read(json.dumps({"charges": [entry(1), entry(1)]}).encode())
    assert found.charges_made == 2


async def test_tombstones_and_amounts_beyond_all_bounds_are_read() -> None:
    tombstone = {"payment_id": str(uuid.UUID(int=1)), "status": "VOIDED", "amount": None}
    first, second = await read(json.dumps({"charges": [entry(2, amount=2**70), tombstone]}).encode())
    assert first == Charge(uuid.UUID(int=1), "VOIDED", None, None, 1)
    assert second.amount == 2**70


async def test_an_empty_record_is_a_record() -> None:
    assert await read(b'{"charges": []}') == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"items": []}', b'{"charges": [', b'{"charges": [{"status": "APPROVED"}]}', b"\xff\xfe",
     b"[" * 300, b'{"charges": [1, 2]}', json.dumps({"charges": [entry(n) for n in range(9)]}).encode()[:-3],
     b'{"items": ' + json.dumps([entry(n) for n in range(9)]).encode() + b"}",
     b'{"charges": [{"payment_id": "' + b"x" * 900],
)  # fmt: skip
@pytest.mark.parametrize("size", [50, 1 << 20])
async def test_anything_else_is_none(body: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_PIECE_BYTES", size)
    monkeypatch.setattr(record, "_MOST_BYTES", 16 * size)
    with pytest.raises(NoRecord, match="is not one"):
        await read(body, size)


@pytest.mark.parametrize("status", [404, 401, 500, 302])
async def test_where_there_is_none_it_is_said(status: int) -> None:
    with pytest.raises(NoRecord, match="does not serve one"):
        await read(b'{"charges": []}', status=status)


async def test_a_record_that_breaks_off_is_none() -> None:
    body = json.dumps({"charges": [entry(n) for n in range(9)]}).encode()
    with pytest.raises(NoRecord, match=r"could not be read \(ReadError\)"):
        await read(body, error=httpx.ReadError("reset"))
