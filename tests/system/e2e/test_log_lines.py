"""The lines of a payment in the logs of the processes, for each way in which it may end: levels and fields."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.main.local.roles import Urls
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import House, running, wait_until

Lines = list[dict[str, Any]]
FIELDS = {
    *("user_id", "payment_id", "transaction_id", "currency", "amount", "provider_id", "external_reference"),
    "latency_ms",
}


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Every process, saying all that it may."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    folder: Path = tmp_path_factory.mktemp("talkative")
    with running(House(module_database, rabbitmq_url, folder, LOG_LEVEL="debug", GATEWAY_ATTEMPTS="1")) as house:
        yield house


@pytest.fixture(scope="module")
def user(house: House) -> UUID:
    return house.wallet(1_000)


def lines_of(house: House, process: str) -> Lines:
    """All that the process logged so far, which is nothing but lines of JSON."""
    *whole, _ = house.log(process).split("\n")
    return [json.loads(line) for line in whole]


def pay(house: House, user: UUID, amount: int, **headers: str) -> tuple[httpx.Response, Lines]:
    """A payment, and what the API logged of its request: by its id, up to its end."""
    request_id = uuid4().hex
    request = house.payment(user, amount)
    request["headers"] |= {"X-Request-ID": request_id} | headers
    answer = httpx.post(**request)
    found: Lines = []

    def ended() -> bool:
        found[:] = [line for line in lines_of(house, "api") if line.get("request_id") == request_id]
        return any(line["event"] == "request" for line in found)

    wait_until(ended, "the request's line")
    return answer, found


def told(lines: Lines) -> list[tuple[str, str]]:
    """Levels and events, but for debug."""
    return [(line["level"], line["event"]) for line in lines if line["level"] != "debug"]


def of(lines: Lines, event: str) -> dict[str, Any]:
    return next(line for line in lines if line["event"] == event)


def check_fields(house: House, lines: Lines, payment_id: str) -> None:
    """Each of these lines has everything that a payment's lines have, as the books have it."""
    columns = "user_id, id, transaction_id, currency, amount, provider_id, external_reference"
    ((*row,),) = house.query(f"SELECT {columns} FROM payments WHERE id = %s", payment_id)
    names = ("user_id", "payment_id", "transaction_id", "currency", "amount", "provider_id", "external_reference")
    wanted = {name: str(value) if isinstance(value, UUID) else value for name, value in zip(names, row, strict=True)}
    for line in lines:
        assert {name: line.get(name) for name in names} == wanted, line
        assert line["latency_ms"] >= 0


def test_an_approved_payment_has_four_lines_at_info(house: House, user: UUID) -> None:
    answer, lines = pay(house, user, 10)
    assert told(lines) == [
        ("info", "payment_accepted"),
        ("info", "gateway_result"),
        ("info", "payment_final"),
        ("info", "request"),
    ]
    check_fields(house, [line for line in lines if line["level"] == "info"], answer.json()["payment_id"])
    assert of(lines, "gateway_result").items() >= {"operation": "charge", "outcome": "approved"}.items()
    assert of(lines, "payment_final")["status"] == "APPROVED"
    assert of(lines, "request").items() >= {"method": "POST", "status": 201, "process": "api"}.items()


def test_a_declined_payment_is_a_warning_without_the_gateways_word(house: House, user: UUID) -> None:
    house.mode("declined")
    answer, lines = pay(house, user, 10)
    house.mode("happy")
    assert told(lines) == [
        ("info", "payment_accepted"),
        ("warning", "gateway_result"),
        ("info", "payment_final"),
        ("info", "request"),
    ]
    check_fields(house, [line for line in lines if line["level"] != "debug"], answer.json()["payment_id"])
    assert of(lines, "gateway_result")["outcome"] == "declined"
    assert of(lines, "payment_final")["status"] == "DECLINED"
    assert answer.json()["failure_code"] not in str(lines)


def test_what_the_wallet_cannot_pay_is_a_warning(house: House, user: UUID) -> None:
    answer, lines = pay(house, user, 1_000_000)
    assert answer.status_code == 409
    assert told(lines) == [("warning", "insufficient_funds"), ("info", "request")]
    missing = of(lines, "insufficient_funds")
    # There is no such payment, and it has no ids.
    assert missing.keys() >= FIELDS - {"payment_id", "transaction_id"}
    assert (missing["user_id"], missing["amount"], missing["currency"]) == (str(user), 1_000_000, "USD")


def test_a_malformed_request_is_a_warning_that_names_what_is_wrong_by_our_names_alone(house: House, user: UUID) -> None:
    answer, lines = pay(house, user, 0, **{"X-API-Key": house.payment(user, 1)["headers"]["X-API-Key"]})
    assert answer.status_code == 400
    assert told(lines) == [("warning", "validation_failed"), ("info", "request")]
    assert of(lines, "validation_failed")["details"].keys() == {"amount"}


@pytest.mark.parametrize("failure", [("500", 502, "GATEWAY_ERROR"), ("timeout", 504, "GATEWAY_TIMEOUT")])
def test_a_gateway_that_fails_is_an_error(house: House, user: UUID, failure: tuple[str, int, str]) -> None:
    mode, status, why = failure
    house.mode(mode, charge="never")
    answer, lines = pay(house, user, 10)
    house.mode("happy")
    assert answer.status_code == status
    payment_id = answer.json()["error"]["details"]["payment_id"]
    check_fields(house, [line for line in lines if line["level"] != "debug"], payment_id)
    charge, ask, void = (line for line in lines if line["event"] == "gateway_result")
    assert (charge["level"], charge["outcome"], charge["why"]) == ("error", "unknown", why)
    assert (ask["level"], ask["operation"], ask["outcome"]) == ("info", "ask", "absent")
    assert (void["level"], void["operation"], void["outcome"]) == ("info", "void", "voided")
    assert of(lines, "payment_final").items() >= {"status": "FAILED", "failure_code": why}.items()


def test_a_payment_that_recovery_finishes_has_its_lines_there(house: House, user: UUID) -> None:
    house.mode("timeout", applies_to="all")
    answer, lines = pay(house, user, 10)
    payment_id = answer.json()["error"]["details"]["payment_id"]
    assert "payment_final" not in [line["event"] for line in lines]
    house.mode("happy")

    def recovered() -> Lines:
        found = [line for line in lines_of(house, "recover") if line.get("payment_id") == payment_id]
        return found if any(line["event"] == "payment_recovered" for line in found) else []

    wait_until(lambda: bool(recovered()), "the payment to be recovered")
    ours = [line for line in recovered() if line["event"] in ("gateway_result", "payment_final")]
    check_fields(house, ours, payment_id)
    assert ours[-1]["event"] == "payment_final"
    assert "request_id" not in ours[-1]


def test_a_key_that_has_its_answer_is_a_line_at_debug(house: House, user: UUID) -> None:
    key = uuid4().hex
    _, first = pay(house, user, 10, **{"Idempotency-Key": key})
    again, second = pay(house, user, 10, **{"Idempotency-Key": key})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert told(second) == [("info", "request")]
    assert of(second, "idempotency_hit")["level"] == "debug"
    assert "idempotency_hit" not in [line["event"] for line in first]
    assert key not in house.log("api")


def test_transactions_and_repositories_are_timed_at_debug(house: House, user: UUID) -> None:
    answer, lines = pay(house, user, 10)
    payment_id = answer.json()["payment_id"]
    steps = [(line["event"], line["step"]) for line in lines if line["event"].startswith("transaction_")]
    assert steps == [
        ("transaction_begins", "reserve"),
        ("transaction_ends", "reserve"),
        ("transaction_begins", "settle"),
        ("transaction_ends", "settle"),
    ]
    # A transaction is that of many requests: its calls name its payments, and none of the requests.
    calls = [line for line in lines_of(house, "api") if payment_id in line.get("payment_ids", ())]
    assert [line["operation"] for line in calls] == ["claim", "commit", "hold", "commit"]
    assert all(line["level"] == "debug" and line["latency_ms"] > 0 and "request_id" not in line for line in calls)
    house.get(f"/wallets/{user}/balance")
    wait_until(lambda: any(line.get("operation") == "balances" for line in lines_of(house, "api")), "a read's line")


def test_no_line_is_wrong_or_has_a_key(house: House) -> None:
    for process in ("api", "recover", "relay", "metrics", "audit"):
        for line in lines_of(house, process):
            assert line.keys() >= {"event", "level", "timestamp", "process"}
        assert house.environment["API_KEYS"] not in house.log(process)
        assert "unexpected_error" not in house.log(process)
