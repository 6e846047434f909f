"""The gateway's record is read in pieces, whatever they cut through, and what is not one is said to be none."""

import json
import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import nullcontext, suppress
from typing import Any

import httpx
import pytest

from app.contexts.payments.adapters.gateway import listing
from app.contexts.payments.adapters.gateway.listing import NoRecord
from app.contexts.payments.adapters.gateway.record import CHARGES, gateway_record
from app.contexts.payments.application.charges_match_payments import Charge


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
    monkeypatch.setattr(listing, "_PIECE_BYTES", size)
    entries = [entry(nth, external_reference=REFERENCES[nth % len(REFERENCES)]) for nth in range(40, 0, -1)]
    body = json.dumps({"charges": entries, "more": {"next": None}}, separators=separators).encode()
    found = await read(body, size)
    assert found == [Charge(uuid.UUID(int=nth), "APPROVED", nth, "USD", 1) for nth in range(1, 41)]


async def test_two_entries_of_a_payment_are_two_charges() -> None:
    (found,) = await read(json.dumps({"charges": [entry(1), entry(1)]}).encode())
    assert found.charges_made == 2


@pytest.mark.parametrize("order", [1, -1])
async def test_of_several_entries_the_approved_one_says_how_the_payment_stands(order: int) -> None:
    """In whatever order they come, and whatever each claims to have been made."""
    entries = [entry(1, status="VOIDED", amount=None, charges_made=0), entry(1, charges_made=1), entry(1, status="X")]
    (found,) = await read(json.dumps({"charges": entries[::order]}).encode())
    assert found == Charge(uuid.UUID(int=1), "APPROVED", 1, "USD", 3)


@pytest.mark.parametrize("made", [-1, 2**31 + 1, 2**63, 2**70])
async def test_a_number_of_charges_that_cannot_be_makes_no_record(made: int) -> None:
    with pytest.raises(NoRecord, match="is not one"):
        await read(json.dumps({"charges": [entry(1, charges_made=made)]}).encode())


async def test_many_charges_of_many_entries_are_counted() -> None:
    (found,) = await read(json.dumps({"charges": [entry(1, charges_made=2**31)] * 5}).encode())
    assert found.charges_made == 5 * 2**31


async def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def tiny(_: str) -> sqlite3.Connection:
        rows = connect("")
        rows.execute("PRAGMA max_page_count = 2")
        return rows

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", tiny)
    with pytest.raises(NoRecord, match=r"could not be kept in a temporary file \(database or disk is full\)"):
        await read(json.dumps({"charges": [entry(nth) for nth in range(1000)]}).encode())


PREFACES = [
    {"as_of": "2026-01-31", "pages": [1, 2]},
    {"summary": {"charges": []}, 'x"charges': [1], "note": '"charges":['},
    {"size": "x" * 500},
]


@pytest.mark.parametrize("preface", PREFACES)
async def test_members_before_the_charges_are_left_alone(
    preface: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_PIECE_BYTES", 200)
    body = json.dumps(preface | {"charges": [entry(nth) for nth in range(1, 30)]}).encode()
    assert [charge.amount for charge in await read(body)] == list(range(1, 30))


async def test_nested_members_take_no_more_work_than_flat_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in bytes that are read as JSON, for records of one size: honest ones, and one that is a single entry."""
    size = 200_000
    flat = [entry(nth, tags=None) for nth in range(1, size // 170)]
    nested = [entry(nth, tags=[{"a": n} for n in range(100)]) for nth in range(1, size // 1_200)]
    tags = [entry(2, status=None) for _ in range(size // 170)]
    work = {}
    for name, entries in {"flat": flat, "nested": nested, "hostile": [entry(1, tags=tags)]}.items():
        body = json.dumps({"charges": entries}).encode()
        assert 0.8 * size < len(body) < 1.2 * size
        with monkeypatch.context() as patch:
            patch.setattr(listing, "_PIECE_BYTES", size // 20)
            patch.setattr(listing, "_MOST_BYTES", size // 2)
            done = patch_to_count(patch)
            with suppress(NoRecord) if name == "hostile" else nullcontext():
                assert len(await read(body, size=size // 20)) == len(entries)
        work[name] = sum(done) / len(body)
    assert work["flat"] < 3
    assert work["nested"] < 3
    # It is held and tried again until it is too much: so often, and no oftener, however many places look like joints.
    assert work["hostile"] < listing._GUESSES * 10


def patch_to_count(patch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is read as JSON from here on."""
    done: list[int] = []
    for name in ("decode_whole", "decode_some"):
        decode = getattr(CHARGES, name)

        def counted(text: bytes, decode: Any = decode) -> Any:
            done.append(len(text))
            return decode(text)

        patch.setattr(CHARGES, name, counted)
    return done


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
    monkeypatch.setattr(listing, "_PIECE_BYTES", size)
    monkeypatch.setattr(listing, "_MOST_BYTES", 16 * size)
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
