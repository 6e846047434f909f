"""How the mock gateway fails: every mode, when the charge comes, and what a void does to one under way."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from mock_gateway.modes import Mode
from tests.mock_gateway.mock_gateway_process import (
    Mock,
    arrives,
    becomes,
    body_of,
    eventually,
    raw_charge,
)
from tests.pace import slow

INSTANT_FAILURES = ["500", "429", "reset", "garbage"]


def a_while() -> int:
    """Milliseconds in which the gateway is asked a few times, also by a machine that does much else."""
    return int(slow(1.0) * 1_000)


# The failures, and when the charge comes.


async def fails(gateway: Mock, kind: str, payment: str) -> bool:
    """Whether a charge, sent on a connection of its own, fails as the kind says."""
    answer = await gateway.raw(raw_charge(payment))
    if kind == "reset" or isinstance(answer, str):
        return answer == "reset"
    if kind == "timeout":
        return answer == b""
    if kind == "garbage":
        return payment.encode() not in answer
    retry_after = b"retry-after: 1\r\n" in answer
    return answer.startswith(b"HTTP/1.1 %b " % kind.encode()) and retry_after == (kind == "429")


@pytest.mark.parametrize("kind", INSTANT_FAILURES)
async def test_a_failure_charges_before_after_or_never(gateway: Mock, kind: str) -> None:
    early, late, never = (str(uuid4()) for _ in range(3))
    await gateway.mode(kind, charge="before")
    assert await fails(gateway, kind, early)
    assert await gateway.status(early) == "APPROVED"
    await gateway.mode(kind, charge="never")
    assert await fails(gateway, kind, never)
    await gateway.mode(kind, charge="after", latency_ms=a_while())
    assert await fails(gateway, kind, late)
    assert await gateway.status(late) is None
    assert (await gateway.ask(late)).status_code == 404
    await becomes(gateway, late, "APPROVED")
    assert await gateway.status(never) is None


@pytest.mark.parametrize("kind", [*INSTANT_FAILURES, "timeout"])
async def test_a_failure_shown_for_a_charge_that_stands_changes_nothing(gateway: Mock, kind: str, payment: str) -> None:
    first = await gateway.charge(payment)
    await gateway.mode(kind, charge="before", latency_ms=10)
    assert await fails(gateway, kind, payment)
    assert (await gateway.ask(payment)).content == first.content
    entry = await gateway.record(payment)
    assert entry
    assert entry["charges_made"] == 1


@pytest.mark.parametrize("charge", ["before", "after", "never"])
async def test_a_timeout_holds_the_request_and_hangs_up(gateway: Mock, payment: str, charge: str) -> None:
    await gateway.mode("timeout", latency_ms=a_while(), charge=charge)
    held = asyncio.create_task(fails(gateway, "timeout", payment))
    await arrives(gateway, payment)
    assert await gateway.status(payment) == ("APPROVED" if charge == "before" else None)
    assert not held.done()
    assert await held
    assert await gateway.status(payment) == (None if charge == "never" else "APPROVED")


async def test_a_timeout_is_a_minute_unless_it_is_said(gateway: Mock, payment: str) -> None:
    assert [Mode("timeout").delay_s("timeout"), Mode("latency").delay_s("latency")] == [60, 1]
    await gateway.mode("timeout")
    headers, patience = {"Idempotency-Key": payment}, httpx.Timeout(60, read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        await gateway.http.post("/charges", json=body_of(payment), headers=headers, timeout=patience)


@pytest.mark.parametrize("mode", ["timeout", "latency"])
async def test_a_client_that_went_away_is_charged_late_all_the_same(gateway: Mock, payment: str, mode: str) -> None:
    await gateway.mode(mode, latency_ms=a_while(), charge="after")
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(raw_charge(payment))
    await arrives(gateway, payment)
    writer.close()
    await writer.wait_closed()
    assert await gateway.status(payment) is None
    await becomes(gateway, payment, "APPROVED")


async def test_latency_charges_at_the_end_or_with_before_at_the_beginning(gateway: Mock, payment: str) -> None:
    other = str(uuid4())
    for charge, at_first, one in (("never", None, payment), ("before", "APPROVED", other)):
        await gateway.mode("latency", latency_ms=a_while(), charge=charge)
        answer = asyncio.create_task(gateway.charge(one))
        await arrives(gateway, one)
        assert await gateway.status(one) == at_first
        assert (await answer).status_code == 201
        assert await gateway.status(one) == "APPROVED"


async def test_a_wrong_amount_is_charged_as_it_was_answered_or_not_at_all(gateway: Mock) -> None:
    before, after, never = (str(uuid4()) for _ in range(3))
    for charge, one in (("before", before), ("after", after), ("never", never)):
        await gateway.mode("wrong_amount", charge=charge, latency_ms=100)
        answer = await gateway.charge(one)
        assert (answer.status_code, answer.json()["amount"], answer.json()["status"]) == (201, 1251, "APPROVED")
        if charge != "never":
            await becomes(gateway, one, "APPROVED")
            assert (await gateway.ask(one)).content == answer.content
            assert (await gateway.charge(one)).content == answer.content
            record = await gateway.record(one)
            assert record
            assert (record["requested_amount"], record["amount"]) == (1250, 1251)
    assert await gateway.status(never) is None


async def test_a_wrong_amount_may_be_shown_for_a_charge_that_is_right(gateway: Mock, payment: str) -> None:
    await gateway.charge(payment)
    await gateway.mode("wrong_amount", charge="before", applies_to="all")
    assert (await gateway.charge(payment)).json()["amount"] == 1251
    assert (await gateway.ask(payment)).json()["amount"] == 1251
    assert (await gateway.listed())[payment]["amount"] == 1250
    assert (await gateway.void(payment)).json() == {"payment_id": payment, "status": "VOIDED"}
    assert (await gateway.charge(payment)).status_code == 409


# Voids against charges that are under way.


async def test_a_void_overtakes_a_charge_in_latency(gateway: Mock, payment: str) -> None:
    await gateway.mode("latency", latency_ms=a_while())
    charge = asyncio.create_task(gateway.charge(payment))
    await arrives(gateway, payment)
    assert (await gateway.void(payment)).json()["status"] == "VOIDED"
    assert not charge.done()
    assert (await charge).status_code == 409
    assert await gateway.status(payment) == "VOIDED"


@pytest.mark.parametrize("kind", [*INSTANT_FAILURES, "timeout"])
async def test_a_tombstone_refuses_the_late_charge(gateway: Mock, kind: str, payment: str) -> None:
    await gateway.mode(kind, latency_ms=a_while(), charge="after")
    failure = asyncio.create_task(fails(gateway, kind, payment))
    await arrives(gateway, payment)
    await gateway.void(payment)
    assert await failure

    async def refused() -> bool:
        record = await gateway.record(payment)
        return record is not None and record["charges_refused"] == 1

    await eventually(refused)
    record = (await gateway.listed())[payment]
    assert (record["status"], record["charge_id"], record["charges_made"]) == ("VOIDED", None, 0)


async def test_an_approval_may_arrive_after_the_charge_was_voided(gateway: Mock, payment: str) -> None:
    """With `latency` and `before` the answer is stale: the charge stood when it was made, not when it is read."""
    await gateway.mode("latency", latency_ms=a_while(), charge="before")
    charge = asyncio.create_task(gateway.charge(payment))
    await becomes(gateway, payment, "APPROVED")
    await gateway.void(payment)
    answer = await charge
    assert (answer.status_code, answer.json()["status"]) == (201, "APPROVED")
    assert await gateway.status(payment) == "VOIDED"


@pytest.mark.parametrize(("charge", "status"), [("before", "VOIDED"), ("never", "APPROVED")])
async def test_a_void_that_fails_took_effect_before_or_never(
    gateway: Mock, payment: str, charge: str, status: str
) -> None:
    await gateway.charge(payment)
    await gateway.mode("500", applies_to="void", charge=charge)
    assert (await gateway.void(payment)).status_code == 500
    assert await gateway.status(payment) == status
