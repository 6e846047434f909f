"""What the mock gateway answers when nothing fails, what its record says, and how its connection behaves."""

import asyncio
import json
import socket
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from mock_gateway.values import MAX_AMOUNT
from tests.mock_gateway.mock_gateway_process import PROVIDER, Mock, becomes, raw_charge

# Charge, ask, void.


async def test_the_first_charge_is_201_and_the_same_key_gets_the_same_answer(gateway: Mock, payment: str) -> None:
    first, again = await gateway.charge(payment), await gateway.charge(payment)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    answer = first.json()
    assert UUID(answer.pop("charge_id"))
    assert answer == {
        "payment_id": payment,
        "amount": 1250,
        "currency": "USD",
        "status": "APPROVED",
        "decline_code": None,
    }
    assert (await gateway.ask(payment)).content == first.content


async def test_a_charge_of_the_largest_amount_is_taken(gateway: Mock, payment: str) -> None:
    assert (await gateway.charge(payment, amount=MAX_AMOUNT)).json()["amount"] == MAX_AMOUNT


async def test_an_id_in_upper_case_is_the_same_id(gateway: Mock, payment: str) -> None:
    assert (await gateway.charge(payment.upper())).json()["payment_id"] == payment
    assert (await gateway.ask(payment)).status_code == 200
    assert (await gateway.void(payment.upper())).json() == {"payment_id": payment, "status": "VOIDED"}


@pytest.mark.parametrize(
    "changed",
    [{"amount": 1251}, {"currency": "EUR"}, {"provider_id": str(uuid4())}, {"external_reference": "order 8"}],
)
async def test_another_request_for_a_charged_payment_is_refused(
    gateway: Mock, payment: str, changed: dict[str, Any]
) -> None:
    await gateway.charge(payment)
    assert (await gateway.charge(payment, **changed)).status_code == 422
    entry = await gateway.record(payment)
    assert entry
    assert (entry["amount"], entry["currency"], entry["charges_made"]) == (1250, "USD", 1)


async def test_after_a_void_the_same_key_gets_409(gateway: Mock, payment: str) -> None:
    await gateway.charge(payment)
    tombstone = {"payment_id": payment, "status": "VOIDED"}
    for _ in range(2):
        voided = await gateway.void(payment)
        assert (voided.status_code, voided.json()) == (200, tombstone)
    for answer, status in ((await gateway.charge(payment), 409), (await gateway.ask(payment), 200)):
        assert (answer.status_code, answer.json()) == (status, tombstone)


async def test_a_void_of_a_payment_never_seen_refuses_its_charge(gateway: Mock, payment: str) -> None:
    assert (await gateway.ask(payment)).status_code == 404
    assert (await gateway.void(payment)).json()["status"] == "VOIDED"
    assert (await gateway.charge(payment)).status_code == 409
    entry = await gateway.record(payment)
    assert entry
    assert (entry["charge_id"], entry["charges_made"], entry["charges_refused"]) == (None, 0, 1)
    assert entry["attempts"] == {"charge": 1, "ask": 1, "void": 1}


async def test_a_declined_charge_is_a_result_and_its_void_says_declined(gateway: Mock, payment: str) -> None:
    await gateway.mode("declined")
    answer = await gateway.charge(payment)
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["decline_code"]) == ("DECLINED", "DO_NOT_HONOR")
    await gateway.mode("happy")
    assert (await gateway.void(payment)).json()["status"] == "DECLINED"
    assert (await gateway.charge(payment)).content == answer.content
    assert await gateway.status(payment) == "DECLINED"


async def test_many_charges_at_once_for_one_payment_make_one(gateway: Mock, payment: str) -> None:
    await gateway.mode("latency", latency_ms=20)
    answers = await asyncio.gather(*(gateway.charge(payment) for _ in range(40)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 39}
    assert len({answer.content for answer in answers}) == 1
    entry = await gateway.record(payment)
    assert entry
    assert (entry["charges_made"], entry["attempts"]["charge"]) == (1, 40)


# The record.


async def test_the_record_says_all_that_an_auditor_compares(gateway: Mock, payment: str) -> None:
    answer = (await gateway.charge(payment)).json()
    await gateway.mode("500")
    failed = str(uuid4())
    await gateway.charge(failed)
    listed = await gateway.listed()
    assert set(listed) == {payment}, "a payment without charge or tombstone is not among the charges"
    entry = listed[payment]
    assert entry.pop("charged_at").endswith("Z")
    assert entry == {
        "payment_id": payment,
        "status": "APPROVED",
        "charge_id": answer["charge_id"],
        "amount": 1250,
        "currency": "USD",
        "decline_code": None,
        "requested_amount": 1250,
        "provider_id": PROVIDER,
        "external_reference": "order 7",
        "charges_made": 1,
        "charges_refused": 0,
        "attempts": {"charge": 1, "ask": 0, "void": 0},
    }
    record = await gateway.record(failed)
    assert record
    assert (record["status"], record["attempts"]["charge"]) == (None, 1)


async def test_forgetting_takes_charges_tombstones_and_late_charges(gateway: Mock, payment: str) -> None:
    voided, marker = str(uuid4()), str(uuid4())
    await gateway.void(voided)
    await gateway.mode("500", charge="after", latency_ms=200)
    await gateway.charge(payment)
    assert (await gateway.http.delete("/admin/charges")).status_code == 204
    await gateway.charge(marker)
    await becomes(gateway, marker, "APPROVED")
    assert set(await gateway.listed()) == {marker}
    await gateway.mode("happy")
    assert (await gateway.charge(voided)).status_code == 201


async def test_a_long_list_waits_for_a_slow_reader_and_keeps_nobody_else_waiting(gateway: Mock) -> None:
    ids = [str(UUID(int=number, version=4)) for number in range(8_000)]
    voids = "".join(f"POST /charges/{one}/void HTTP/1.1\r\nhost: x\r\n\r\n" for one in ids)
    last = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answers = await gateway.raw((voids + last).encode())
    assert isinstance(answers, bytes)
    assert answers.count(b"VOIDED") == len(ids)
    async with gateway.http.stream("GET", "/admin/charges") as slow:
        assert (await gateway.http.get("/health")).status_code == 200
        body = b"".join([piece async for piece in slow.aiter_bytes()])
    assert [entry["payment_id"] for entry in json.loads(body)["charges"]] == ids


# The connection.


async def test_a_reset_is_a_tcp_reset(gateway: Mock, payment: str) -> None:
    await gateway.mode("reset")
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as client:
        client.sendall(raw_charge(payment))
        with pytest.raises(ConnectionResetError):
            await asyncio.to_thread(client.recv, 1)


async def test_requests_on_one_connection_are_answered_in_order_held_ones_too(gateway: Mock, payment: str) -> None:
    await gateway.mode("latency", latency_ms=50)
    ask = f"GET /charges/{payment} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    last = b"DELETE /charges HTTP/1.1\r\nconnection: close\r\n\r\n"
    answers = await gateway.raw(raw_charge(payment, "") + ask * 50 + last + ask)
    assert isinstance(answers, bytes)
    statuses = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"201", *[b"200"] * 50, b"405"]
