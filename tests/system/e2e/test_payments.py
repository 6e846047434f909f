"""Payments from the HTTP request to the audit trail, over real processes."""

import uuid
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from app.main.local.roles import Urls
from tests.system.e2e.conftest import measured
from tests.system.e2e.house import API_KEY, House, body, wait_until

# A hundred at once take a busy machine some seconds.
TIMES = {"REQUEST_TIMEOUT_S": "12", "RECOVER_AFTER_S": "12.5", "GATEWAY_ATTEMPTS": "2"}
ALL_APPROVED = ["payment.created", "payment.completed"]
ALL_REFUNDED = ["payment.created", "payment.failed", "refund.created"]


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process of Strongbox, with requests that have time."""
    with measured(module_database, rabbitmq_url, tmp_path_factory.mktemp("house"), House, **TIMES) as house:
        yield house


@pytest.fixture(autouse=True)
def happy_again(house: House) -> None:
    """Every test starts with a gateway that works."""
    house.mode("happy")


def test_a_payment_travels_from_the_wallet_to_the_audit_trail_and_the_metrics(house: House) -> None:
    user_id = house.wallet(10_000)
    answer = house.pay(user_id, 1_250)
    assert answer.status_code == 201
    payment = answer.json()
    assert (payment["status"], payment["amount"], payment["user_id"]) == ("APPROVED", 1_250, str(user_id))
    assert house.balance(user_id) == 8_750
    charge = house.charge(payment["payment_id"])
    assert charge is not None
    assert (charge["status"], charge["amount"], charge["charges_made"]) == ("APPROVED", 1_250, 1)
    wait_until(lambda: house.trail(payment["payment_id"]) == ALL_APPROVED, "the audit trail")
    lines = house.get(f"/wallets/{user_id}/transactions").json()["transactions"]
    assert [(line["kind"], line["direction"], line["status"], line["balance_after"]) for line in lines] == [
        ("PAYMENT", "DEBIT", "APPROVED", 8_750),
        ("FUNDING", "CREDIT", "COMPLETED", 10_000),
    ]
    wait_until(lambda: 'status="APPROVED"' in httpx.get(f"{house.metrics_url}/metrics").text, "the metrics to count it")


def test_of_100_parallel_payments_of_10_from_505_exactly_50_are_approved(house: House) -> None:
    async def all_at_once() -> list[httpx.Response]:
        return await house.pay_at_once([house.payment(user_id, 10) for _ in range(100)])

    import asyncio

    user_id = house.wallet(505)
    answers = asyncio.run(all_at_once())
    assert Counter(answer.status_code for answer in answers) == {201: 50, 409: 50}
    refused = [answer.json()["error"] for answer in answers if answer.status_code == 409]
    assert {error["code"] for error in refused} == {"INSUFFICIENT_FUNDS"}
    assert house.balance(user_id) == 5


def test_the_same_key_sent_by_many_at_once_charges_once(house: House) -> None:
    import asyncio

    user_id = house.wallet(1_000)
    key = str(uuid.uuid4())
    answers = asyncio.run(house.pay_at_once([house.payment(user_id, 10, key) for _ in range(64)]))
    codes = Counter(answer.status_code for answer in answers)
    assert codes[201] >= 1
    assert set(codes) <= {201, 409}
    assert house.balance(user_id) == 990
    paid = {answer.json()["payment_id"] for answer in answers if answer.status_code == 201}
    waiting = {a.json()["error"]["details"]["payment_id"] for a in answers if a.status_code == 409}
    assert len(paid | waiting) == 1
    charge = house.charge(paid.pop())
    assert charge is not None
    assert charge["charges_made"] == 1


def test_a_finished_request_is_replayed_byte_for_byte_and_another_one_under_its_key_refused(house: House) -> None:
    user_id = house.wallet(1_000)
    first = house.pay(user_id, 10, "the-key")
    again = house.pay(user_id, 10, '"the-key"')
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = house.pay(user_id, 11, "the-key")
    assert body(other, 422)["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert house.balance(user_id) == 990


@pytest.mark.parametrize(
    ("mode", "status", "code", "final"),
    [
        ({"mode": "declined"}, 201, None, "DECLINED"),
        ({"mode": "500"}, 502, "GATEWAY_ERROR", "FAILED"),
        ({"mode": "429"}, 502, "GATEWAY_ERROR", "FAILED"),
        ({"mode": "garbage"}, 502, "GATEWAY_ERROR", "FAILED"),
        ({"mode": "wrong_amount", "charge": "before"}, 502, "GATEWAY_ERROR", "FAILED"),
        ({"mode": "timeout"}, 504, "GATEWAY_TIMEOUT", "FAILED"),
        ({"mode": "reset"}, 504, "GATEWAY_TIMEOUT", "FAILED"),
    ],
    ids=lambda value: value["mode"] if isinstance(value, dict) else "",
)
def test_what_did_not_stand_is_refunded(
    house: House, mode: dict[str, object], status: int, code: str | None, final: str
) -> None:
    user_id = house.wallet(1_000)
    house.mode(**mode)  # type: ignore[arg-type]
    answer = house.pay(user_id, 400)
    body = answer.json()
    assert answer.status_code == status
    if code is None:
        assert body["status"] == final
        payment_id = body["payment_id"]
    else:
        payment_id = body["error"]["details"]["payment_id"]
        assert body["error"]["code"] == code
        assert body["error"]["details"] == {"payment_id": payment_id, "status": final, "refunded": True}
    assert house.balance(user_id) == 1_000
    wait_until(lambda: house.trail(payment_id) == ALL_REFUNDED, "the audit trail")


@pytest.mark.parametrize("mode", ["reset", "timeout", "500"])
def test_a_charge_whose_answer_was_lost_is_found(house: House, mode: str) -> None:
    user_id = house.wallet(1_000)
    house.mode(mode, charge="before")
    answer = house.pay(user_id, 400)
    assert body(answer, 201)["status"] == "APPROVED"
    assert house.balance(user_id) == 600


def test_a_silent_gateway_leaves_the_payment_pending_until_it_speaks_again(house: House) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", applies_to="all", latency_ms=60_000)
    answer = house.pay(user_id, 400, "silence")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"]["status"]) == (504, "GATEWAY_TIMEOUT", "PENDING")
    assert error["details"]["refunded"] is False
    assert house.balance(user_id) == 600
    waiting = house.pay(user_id, 400, "silence")
    assert body(waiting, 409)["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
    assert "Retry-After" in waiting.headers
    house.mode("happy")
    wait_until(lambda: house.balance(user_id) == 1_000, "recovery to refund")
    settled = house.pay(user_id, 400, "silence")
    assert (settled.status_code, settled.headers["Idempotent-Replayed"]) == (504, "true")
    assert settled.json()["error"]["details"]["status"] == "FAILED"


def test_every_refusal_has_its_code_and_leaves_no_trace(house: House) -> None:
    user_id = house.wallet(100)
    nobody = uuid.uuid4()
    refusals = [
        (house.pay(user_id, 10, currency="EUR"), 404, "NOT_FOUND"),
        (house.pay(nobody, 10), 404, "NOT_FOUND"),
        (house.pay(user_id, 10, provider_id=str(uuid.uuid4())), 404, "NOT_FOUND"),
        (house.pay(user_id, 0), 400, "VALIDATION_ERROR"),
        (house.pay(user_id, 101), 409, "INSUFFICIENT_FUNDS"),
        (httpx.get(f"{house.api_url}/wallets/{user_id}/balance"), 401, "UNAUTHORIZED"),
        (house.get(f"/wallets/{nobody}/balance"), 404, "NOT_FOUND"),
    ]
    for answer, status, code in refusals:
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert house.balance(user_id) == 100
    assert house.query("SELECT count(*) FROM payments WHERE user_id = %s", user_id) == [(0,)]


def test_the_books_and_the_gateways_record_agree_and_no_log_has_a_key(house: House) -> None:
    house.verify()
    for name in house.processes:
        assert API_KEY not in house.log(name)
