"""What the mock gateway refuses, how it tells the reasons apart, and which modes it takes."""

from typing import Any
from uuid import uuid4

import pytest

from mock_gateway.modes import MODE_NAMES
from mock_gateway.values import MAX_AMOUNT
from tests.mock_gateway.mock_gateway_process import Mock, body_of


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": MAX_AMOUNT + 1},
        {"amount": 12.5},
        {"amount": "1250"},
        {"amount": True},
        {"currency": "usd"},
        {"currency": "USD\n"},
        {"provider_id": "6"},
        {"external_reference": ""},
        {"external_reference": "x" * 141},
        {"external_reference": "a\u0000b"},
        {"more": 1},
        {"payment_id": str(uuid4())},
    ],
)
async def test_a_malformed_charge_is_400_and_leaves_nothing(
    gateway: Mock, payment: str, changed: dict[str, Any]
) -> None:
    answer = await gateway.charge(payment, **changed)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BAD_REQUEST"
    assert next(iter(changed)) in answer.text
    assert await gateway.status(payment) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000, b'{"payment_id": 1}'])
async def test_a_body_that_is_no_charge_is_400(gateway: Mock, payment: str, body: bytes) -> None:
    answer = await gateway.http.post("/charges", content=body, headers={"Idempotency-Key": payment})
    assert answer.status_code == 400


async def test_the_key_must_be_there_once_and_be_the_payment_id(gateway: Mock, payment: str) -> None:
    for keys in ([], [str(uuid4())], [payment, payment]):
        headers = [("Idempotency-Key", key) for key in keys]
        answer = await gateway.http.post("/charges", json=body_of(payment), headers=headers)
        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.text
    assert await gateway.status(payment) is None


async def test_unknown_routes_methods_and_ids_are_told_apart(gateway: Mock) -> None:
    assert (await gateway.http.get("/nothing")).status_code == 404
    refused = await gateway.http.delete("/charges")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await gateway.http.head("/health")).status_code == 405
    assert (await gateway.http.get("/charges/7")).status_code == 400
    assert (await gateway.http.get("/health?deep=1")).status_code == 200


async def test_what_is_too_large_or_not_http_is_answered_and_hung_up_on(gateway: Mock, payment: str) -> None:
    large = await gateway.charge(payment, external_reference="x" * 70_000)
    assert large.status_code == 413
    cases = {
        b"GET /health HTTP/1.1\r\nhost: x\r\ncookie: %b\r\n\r\n" % (b"x" * 20_000): b"HTTP/1.1 431",
        b"what is this\r\n\r\n": b"HTTP/1.1 400",
        b"GET /health HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n": b"HTTP/1.1 400",
    }
    for request, beginning in cases.items():
        answer = await gateway.raw(request)
        assert isinstance(answer, bytes)
        assert beginning in answer


@pytest.mark.parametrize(
    "mode",
    [
        {},
        {"mode": "sad"},
        {"mode": "500", "rate": 1.5},
        {"mode": "500", "rate": "1"},
        {"mode": "500", "latency_ms": -1},
        {"mode": "500", "latency_ms": 1.5},
        {"mode": "500", "applies_to": "everything"},
        {"mode": "500", "charge": "sometimes"},
        {"mode": "500", "more": 1},
    ],
)
async def test_a_wrong_mode_is_400_and_the_old_one_stays(gateway: Mock, mode: dict[str, Any]) -> None:
    before = (await gateway.mode("latency", latency_ms=5, rate=0.5, seed="a", applies_to="all")).json()
    assert (await gateway.http.put("/admin/mode", json=mode)).status_code == 400
    assert (await gateway.http.get("/admin/mode")).json() == before


async def test_every_mode_of_the_contract_can_be_set_and_is_shown(gateway: Mock) -> None:
    for name in MODE_NAMES:
        answer = await gateway.mode(name)
        assert answer.json() == {
            "mode": name,
            "latency_ms": None,
            "rate": 1.0,
            "seed": 0,
            "applies_to": "charge",
            "charge": "never",
        }
