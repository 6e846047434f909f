"""The mock gateway's refunds: once for each id, never more than was charged, through every mode."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.mock_gateway.mock_gateway_process import Mock, eventually, running


async def refund(gateway: Mock, payment: str, refund_id: str, key: str | None = None, **changed: Any) -> httpx.Response:
    """Ask for 400 of the 1250 that were charged."""
    body = {"refund_id": refund_id, "amount": 400, "currency": "USD"} | changed
    headers = {"Idempotency-Key": key or refund_id}
    return await gateway.http.post(f"/charges/{payment}/refunds", json=body, headers=headers)


async def ask(gateway: Mock, payment: str, refund_id: str) -> httpx.Response:
    return await gateway.http.get(f"/charges/{payment}/refunds/{refund_id}")


async def listed(gateway: Mock) -> dict[str, dict[str, Any]]:
    entries = (await gateway.http.get("/admin/refunds")).json()["refunds"]
    by_id = {entry["refund_id"]: entry for entry in entries}
    assert len(by_id) == len(entries)
    return by_id


@pytest.fixture
async def charged(gateway: Mock, payment: str) -> str:
    """A payment of 1250 whose charge stands."""
    assert (await gateway.charge(payment)).status_code == 201
    return payment


@pytest.fixture
def one() -> str:
    return str(uuid4())


async def test_a_refund_is_made_once_for_its_id(gateway: Mock, charged: str, one: str) -> None:
    assert (await ask(gateway, charged, one)).status_code == 404
    first, second = await refund(gateway, charged, one), await refund(gateway, charged, one.upper(), key=one)
    assert (first.status_code, second.status_code, second.content) == (201, 200, first.content)
    made = {
        "refund_id": one, "payment_id": charged, "amount": 400, "currency": "USD", "status": "REFUNDED", "code": None,
    }  # fmt: skip
    assert first.json() == made
    asked = await ask(gateway, charged, one)
    assert (asked.status_code, asked.json()) == (200, made)
    entry = (await listed(gateway))[one]
    assert {name: entry[name] for name in made} == made
    assert (entry["requested_amount"], entry["attempts"]) == (400, {"refund": 2, "ask": 2})


async def test_at_once_it_is_made_once(gateway: Mock, charged: str, one: str) -> None:
    answers = await asyncio.gather(*(refund(gateway, charged, one) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert (await listed(gateway))[one]["attempts"]["refund"] == 10


async def test_never_more_is_given_back_than_was_charged(gateway: Mock, charged: str) -> None:
    ids = [str(uuid4()) for _ in range(5)]
    answers = await asyncio.gather(*(refund(gateway, charged, id_) for id_ in ids))
    told = [answer.json() for answer in answers]
    assert sorted(one["status"] for one in told) == ["REFUNDED"] * 3 + ["REFUSED"] * 2
    refused = [one for one in told if one["status"] == "REFUSED"]
    assert {one["code"] for one in refused} == {"exceeds_charge"}
    assert (await refund(gateway, charged, str(uuid4()), amount=50)).json()["status"] == "REFUNDED"
    # A refusal stands, too.
    again = await refund(gateway, charged, refused[0]["refund_id"])
    assert (again.status_code, again.json()) == (200, refused[0])


async def test_another_currency_is_refused(gateway: Mock, charged: str, one: str) -> None:
    assert (await refund(gateway, charged, one, currency="EUR")).json()["code"] == "exceeds_charge"


async def test_without_a_standing_charge_there_is_no_refund(gateway: Mock, payment: str, one: str) -> None:
    unknown = await refund(gateway, payment, one)
    assert (unknown.status_code, unknown.json()) == (409, {"payment_id": payment, "status": "UNKNOWN"})
    await gateway.mode("declined")
    await gateway.charge(payment)
    await gateway.mode("happy")
    declined = await refund(gateway, payment, one)
    assert (declined.status_code, declined.json()["status"]) == (409, "DECLINED")
    other = str(uuid4())
    await gateway.charge(other)
    await gateway.void(other)
    assert (await refund(gateway, other, one)).json()["status"] == "VOIDED"
    assert await listed(gateway) == {}


async def test_what_is_not_a_refund_is_refused(gateway: Mock, charged: str, one: str) -> None:
    assert (await refund(gateway, charged, one, key=str(uuid4()))).status_code == 400
    assert (await refund(gateway, charged, one, amount=0)).status_code == 400
    assert (await refund(gateway, charged, one, amount=1.5)).status_code == 400
    assert (await refund(gateway, charged, one, reason="so")).status_code == 400
    assert (await refund(gateway, charged, "seven")).status_code == 400
    assert (await ask(gateway, charged, "seven")).status_code == 400
    assert (await gateway.http.put(f"/charges/{charged}/refunds")).status_code == 405
    assert await listed(gateway) == {}
    assert (await refund(gateway, charged, one)).status_code == 201
    assert (await refund(gateway, charged, one, amount=401)).status_code == 422
    assert (await listed(gateway))[one]["amount"] == 400


@pytest.mark.parametrize(("how", "status"), [("500", 500), ("429", 429)])
@pytest.mark.parametrize(("charge", "is_made"), [("never", False), ("before", True), ("after", True)])
async def test_a_refund_that_fails_may_have_been_made(
    gateway: Mock, charged: str, one: str, how: str, status: int, charge: str, is_made: bool
) -> None:
    await gateway.mode(how, charge=charge, applies_to="refund", latency_ms=1)
    answer = await refund(gateway, charged, one)
    assert answer.status_code == status
    await gateway.mode("happy")
    if is_made:

        async def there() -> bool:
            return one in await listed(gateway)

        await eventually(there)
    assert (await ask(gateway, charged, one)).status_code == (200 if is_made else 404)
    repeated = await refund(gateway, charged, one)
    assert (repeated.status_code, repeated.json()["status"]) == (200 if is_made else 201, "REFUNDED")


async def test_a_refund_whose_answer_is_cut_off_was_made(gateway: Mock, charged: str, one: str) -> None:
    await gateway.mode("reset", charge="before", applies_to="refund")
    with pytest.raises(httpx.TransportError):
        await refund(gateway, charged, one)
    assert (await listed(gateway))[one]["status"] == "REFUNDED"


async def test_declined_refuses_for_good(gateway: Mock, charged: str, one: str) -> None:
    await gateway.mode("declined", applies_to="refund")
    first = await refund(gateway, charged, one)
    assert (first.status_code, first.json()["status"], first.json()["code"]) == (201, "REFUSED", "DO_NOT_REFUND")
    await gateway.mode("happy")
    assert (await refund(gateway, charged, one)).json() == first.json()
    assert (await refund(gateway, charged, str(uuid4()), amount=1250)).json()["status"] == "REFUNDED"


async def test_a_wrong_amount_is_shown_whatever_stands(gateway: Mock, charged: str, one: str) -> None:
    assert (await refund(gateway, charged, one)).json()["amount"] == 400
    await gateway.mode("wrong_amount", applies_to="all")
    assert (await refund(gateway, charged, one)).json()["amount"] != 400
    assert (await ask(gateway, charged, one)).json()["amount"] != 400
    assert (await listed(gateway))[one]["amount"] == 400


async def test_a_mode_hits_refunds_alone(gateway: Mock, charged: str, one: str) -> None:
    other = str(uuid4())
    await gateway.mode("500", applies_to="refund")
    assert (await gateway.charge(other)).status_code == 201
    assert (await gateway.ask(other)).status_code == 200
    assert (await ask(gateway, charged, one)).status_code == 404
    assert (await refund(gateway, charged, one)).status_code == 500
    await gateway.mode("500", applies_to="ask")
    assert (await ask(gateway, charged, one)).status_code == 500
    assert (await refund(gateway, charged, one)).status_code == 201
    await gateway.mode("500", applies_to="charge")
    assert (await ask(gateway, charged, one)).status_code == 200


async def test_a_refunded_charge_is_not_voided_away(gateway: Mock, charged: str, one: str) -> None:
    """The record of refunds outlives whatever is done to the charge."""
    assert (await refund(gateway, charged, one)).status_code == 201
    await gateway.void(charged)
    assert (await ask(gateway, charged, one)).json()["status"] == "REFUNDED"
    assert (await refund(gateway, charged, one)).status_code == 200
    assert (await refund(gateway, charged, str(uuid4()))).status_code == 409


async def test_emptied_it_knows_no_refund(gateway: Mock, charged: str, one: str) -> None:
    assert (await refund(gateway, charged, one)).status_code == 201
    assert (await gateway.http.delete("/admin/charges")).status_code == 204
    assert await listed(gateway) == {}
    assert (await ask(gateway, charged, one)).status_code == 404


async def test_the_journal_keeps_refunds_over_an_end(tmp_path: Path, payment: str) -> None:
    journal, one, refused = str(tmp_path / "journal"), str(uuid4()), str(uuid4())
    async with running(MOCK_GATEWAY_JOURNAL=journal) as gateway:
        await gateway.charge(payment)
        assert (await refund(gateway, payment, one, amount=1000)).json()["status"] == "REFUNDED"
        assert (await refund(gateway, payment, refused)).json()["status"] == "REFUSED"
        before = {id_: entry | {"attempts": ""} for id_, entry in (await listed(gateway)).items()}
        gateway.process.kill()
    async with running(MOCK_GATEWAY_JOURNAL=journal) as gateway:
        after = {id_: entry | {"attempts": ""} for id_, entry in (await listed(gateway)).items()}
        assert after == before
        assert (await refund(gateway, payment, one, amount=1000)).status_code == 200
        assert (await refund(gateway, payment, str(uuid4()), amount=251)).json()["status"] == "REFUSED"
        assert (await refund(gateway, payment, str(uuid4()), amount=250)).json()["status"] == "REFUNDED"
