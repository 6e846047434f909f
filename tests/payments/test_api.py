"""The API over a real socket: every answer of the contract once."""

import json
import socket
from typing import Any

import httpx
import pytest

from tests.api_harness import PAYMENTS, Running, error, order, post, wait_until
from tests.fakes.api import NOBODY, PROVIDER, USER
from tests.payments.malformed import request


def test_an_approved_payment_is_answered_with_201_and_the_payment(client: httpx.Client, api: Running) -> None:
    answer = post(client, "approve", key="approved")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    asked = api.pay.requests[-1]
    assert answer.json() == {
        "payment_id": str(asked.payment_id),
        "transaction_id": str(asked.transaction_id),
        "user_id": str(USER),
        "provider_id": str(PROVIDER),
        "external_reference": "approve",
        "amount": 1250,
        "currency": "USD",
        "status": "APPROVED",
        "failure_code": None,
        "created_at": "2026-01-31T12:00:00.000000Z",
        "finalized_at": "2026-01-31T12:00:00.000000Z",
    }


def test_a_declined_payment_is_a_result_and_not_an_error(client: httpx.Client) -> None:
    answer = post(client, "decline")
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["failure_code"]) == ("DECLINED", "do_not_honor")


@pytest.mark.parametrize("how", ["approve", "decline", "poor", "gateway-error", "gateway-timeout"])
def test_a_final_answer_is_replayed_byte_for_byte(client: httpx.Client, how: str) -> None:
    first, second = (post(client, how, key=f"replayed-{how}") for _ in range(2))
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["content-type"] == second.headers["content-type"]


def test_missing_funds_are_told_with_what_there_is(client: httpx.Client) -> None:
    details = error(post(client, "poor"), 409, "INSUFFICIENT_FUNDS")
    assert details == {"currency": "USD", "current_balance": 1, "amount": 1250}


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("gateway-error", 502, "GATEWAY_ERROR"), ("gateway-timeout", 504, "GATEWAY_TIMEOUT")],
)
def test_a_failed_payment_says_that_its_funds_are_back(
    client: httpx.Client, api: Running, how: str, status: int, code: str
) -> None:
    details = error(post(client, how), status, code)
    assert details == {
        "payment_id": str(api.pay.requests[-1].payment_id),
        "status": "FAILED",
        "refunded": True,
    }


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [("pending GATEWAY_ERROR", 502, "GATEWAY_ERROR"), ("pending GATEWAY_TIMEOUT", 504, "GATEWAY_TIMEOUT")],
)
def test_a_payment_of_unknown_outcome_says_that_it_is_pending(
    client: httpx.Client, api: Running, how: str, status: int, code: str
) -> None:
    details = error(post(client, how), status, code)
    assert details == {
        "payment_id": str(api.pay.requests[-1].payment_id),
        "status": "PENDING",
        "refunded": False,
    }


@pytest.mark.parametrize(
    ("how", "status", "code", "retry_after"),
    [
        ("no-wallet", 404, "NOT_FOUND", None),
        ("no-provider", 404, "NOT_FOUND", None),
        ("in-progress", 409, "IDEMPOTENCY_IN_PROGRESS", "1"),
        ("reused", 422, "IDEMPOTENCY_KEY_REUSED", None),
        ("closed", 503, "GATEWAY_UNAVAILABLE", "7"),
        ("unavailable", 503, "UNAVAILABLE", "1"),
    ],
)
def test_each_refusal_has_its_status_and_code(
    client: httpx.Client, how: str, status: int, code: str, retry_after: str | None
) -> None:
    answer = post(client, how)
    error(answer, status, code)
    assert answer.headers.get("Retry-After") == retry_after


def test_a_currency_that_is_not_known_is_malformed_where_there_is_no_wallet_in_it(client: httpx.Client) -> None:
    asked = {"currency": "ZZZ"}
    for answer in (
        post(client, "no-wallet", currency="ZZZ"),
        *(client.get(f"/wallets/{user}/{what}", params=asked)
          for user in (USER, NOBODY) for what in ("balance", "transactions")),
    ):  # fmt: skip
        assert error(answer, 400, "VALIDATION_ERROR") == {
            "currency": "must be the code of a known currency, such as USD"
        }


def test_a_wallet_in_a_currency_that_is_known_no_longer_can_be_emptied(client: httpx.Client) -> None:
    assert post(client, "approve", currency="ZZZ").json()["currency"] == "ZZZ"


def test_a_key_in_progress_names_its_payment(client: httpx.Client) -> None:
    assert error(post(client, "in-progress"), 409, "IDEMPOTENCY_IN_PROGRESS") == {"payment_id": str(PROVIDER)}


def test_what_is_malformed_is_logged_by_names_of_ours_and_never_by_the_clients(
    client: httpx.Client, logged: list[Any]
) -> None:
    details = error(post(client, amount=0, card_4111="x"), 400, "VALIDATION_ERROR")
    assert details.keys() == {"amount", "card_4111"}
    told = next(entry for entry in logged if entry["event"] == "validation_failed")
    assert told["details"].keys() == {"amount", "unknown"}


def test_a_bug_tells_the_client_nothing_and_the_log_no_values(client: httpx.Client, logged: list[Any]) -> None:
    answer = post(client, "bug")
    assert error(answer, 500, "INTERNAL") == {}
    assert "secret" not in answer.text
    bug = next(entry for entry in logged if entry["log_level"] == "error")
    assert bug["error"] == "builtins.RuntimeError"
    assert "create_payment" in bug["traceback"]
    assert bug["request_id"] == answer.headers["X-Request-ID"]
    assert "the secret of the house" not in str(logged)


def test_a_payment_beyond_its_deadline_is_pending_when_reserved_and_goes_on(client: httpx.Client, api: Running) -> None:
    """The deadline of the tests is one second."""
    finished = api.pay.finished
    assert error(post(client, "reserved"), 504, "GATEWAY_TIMEOUT")["status"] == "PENDING"
    error(post(client, "hold"), 503, "UNAVAILABLE")
    assert api.pay.finished == finished
    api.release()
    wait_until(lambda: api.pay.finished == finished + 2)


def test_a_client_that_goes_away_does_not_stop_its_payment(api: Running) -> None:
    api.loop.call_soon_threadsafe(api.pay.release.clear)
    finished, asked = api.pay.finished, len(api.pay.requests)
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as leaving:
        leaving.sendall(request(json.dumps(order("reserved"))))
        wait_until(lambda: len(api.pay.requests) == asked + 1)
    api.release()
    wait_until(lambda: api.pay.finished == finished + 1)


def test_the_quoted_form_of_a_key_is_the_same_key(client: httpx.Client, api: Running) -> None:
    for written, meant in {'"abc"': "abc", "abc": "abc", '"a\\"b\\\\c"': 'a"b\\c', 'a"b': 'a"b'}.items():
        post(client, key=written)
        assert api.pay.requests[-1].key == meant


def test_another_spelling_of_the_same_request_has_the_same_fingerprint(client: httpx.Client, api: Running) -> None:
    bodies = [
        json.dumps(order("é")),
        json.dumps(order("é"), ensure_ascii=False, indent=2),
        json.dumps(dict(reversed(order("\u00e9").items()))),
        json.dumps(order("é", provider_id=str(PROVIDER).upper())),
        json.dumps(order("é", provider_id=PROVIDER.hex)),
        json.dumps(order("é")).replace("provider_id", "\\u0070rovider_id"),
    ]
    for body in [*bodies, json.dumps(order("e\u0301")), json.dumps(order("é", amount=1251))]:
        answer = client.post(
            PAYMENTS, content=body, headers={"Idempotency-Key": "f", "Content-Type": "application/json"}
        )
        assert answer.status_code == 201
    prints = [request.fingerprint for request in api.pay.requests[-len(bodies) - 2 :]]
    assert len(set(prints[: len(bodies)])) == 1
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json;",
        "application/json; profile=a",
        'application/json ; a="b \\" ; charset=latin-1" ;; v=1;charset=utf-8',
        "application/json; charsets=latin-1",
    ],
)
def test_json_may_say_that_it_is_utf_8(client: httpx.Client, content_type: str) -> None:
    headers = {"Idempotency-Key": "typed", "Content-Type": content_type}
    assert client.post(PAYMENTS, content=json.dumps(order()), headers=headers).status_code == 201


def test_the_largest_amount_the_longest_reference_and_an_added_currency_are_taken(
    client: httpx.Client, api: Running
) -> None:
    assert post(client, "😀" * 140, amount=2**63 - 1, currency="USDC").status_code == 201
    assert api.pay.requests[-1].money.amount_minor == 2**63 - 1


def test_a_valid_traceparent_is_taken_on_and_another_left(client: httpx.Client, api: Running) -> None:
    valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for given, taken in {valid: valid, valid.upper(): None, "00-" + "0" * 32 + valid[35:]: None}.items():
        client.post(PAYMENTS, json=order(), headers={"Idempotency-Key": given, "traceparent": given})
        assert api.pay.requests[-1].traceparent == taken


def test_a_user_is_the_same_in_any_spelling(client: httpx.Client) -> None:
    for spelling in (str(USER), str(USER).upper(), USER.hex):
        answer = client.get(f"/wallets/{spelling}/balance")
        assert answer.json()["user_id"] == str(USER)
