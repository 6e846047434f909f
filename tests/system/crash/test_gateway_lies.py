"""The gateway is silent, late, wrong, or gone: nobody guesses, and one charge or none stands."""

import httpx
import pytest

from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until


def _details(answer: httpx.Response) -> tuple[int, str, bool]:
    details = answer.json()["error"]["details"]
    return answer.status_code, details["status"], details["refunded"]


@pytest.mark.parametrize("mode", ["timeout", "500", "reset", "garbage", "wrong_amount"])
def test_a_charge_that_stands_while_its_answer_is_lost_is_found_or_undone_but_never_guessed(
    house: Fragile, mode: str
) -> None:
    user_id = house.wallet(1_000)
    house.mode(mode, charge="before", latency_ms=20_000)
    answer = house.pay(user_id, 400, "lost")
    house.mode("happy")
    charge = house.at_the_gateway(house.payment_id(user_id))
    if mode == "wrong_amount":  # a charge of another amount is not what was asked for: it must not stand
        assert _details(answer) == (502, "FAILED", True)
        assert (charge["status"], house.balance(user_id)) == ("VOIDED", 1_000)
    else:
        assert (answer.status_code, answer.json().get("status")) == (201, "APPROVED")
        assert (charge["status"], charge["charges_made"], house.balance(user_id)) == ("APPROVED", 1, 600)
    again = house.pay(user_id, 400, "lost")
    assert (again.status_code, again.content) == (answer.status_code, answer.content)
    house.verify()


def test_a_charge_whose_answer_the_network_loses_is_charged_once_however_often_it_is_sent(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    with house.gateway.trap("POST /charges$", Then.LOSE_THE_ANSWER) as trap:
        answer = house.pay(user_id, 400)
        trap.wait_for_the_answer()
    assert answer.status_code == 201
    charge = house.at_the_gateway(body(answer, 201)["payment_id"])
    assert (charge["charges_made"], charge["status"]) == (1, "APPROVED")
    assert house.balance(user_id) == 600
    house.verify()


def test_a_charge_that_comes_after_its_time_out_is_refused_by_the_tombstone(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", charge="after", latency_ms=7_000)  # later than any answer
    answer = house.pay(user_id, 400)
    assert _details(answer) == (504, "FAILED", True)
    assert house.balance(user_id) == 1_000
    payment_id = answer.json()["error"]["details"]["payment_id"]
    wait_until(lambda: house.at_the_gateway(payment_id)["charges_refused"] > 0, "the late charge")
    assert house.at_the_gateway(payment_id)["status"] == "VOIDED"
    house.verify()


def test_a_charge_that_comes_late_but_before_the_question_is_found_and_approved(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", charge="after", latency_ms=400)
    with house.gateway.trap("GET /charges/", Then.HOLD) as question:
        first = house.pay_later(user_id, 400)
        question.wait()
        payment_id = house.payment_id(user_id)
        wait_until(lambda: house.at_the_gateway(payment_id)["status"] == "APPROVED", "the late charge")
        question.let_go()
        answer = first.result(60)
    assert body(answer, 201)["status"] == "APPROVED"
    assert house.balance(user_id) == 600
    house.verify()


@pytest.mark.long
@pytest.mark.parametrize(
    ("charge", "final", "left"),
    [("before", "APPROVED", 600), ("never", "FAILED", 1_000)],
)
def test_while_the_gateway_is_wholly_silent_the_payment_stays_pending_and_no_money_goes_back(
    house: Fragile, charge: str, final: str, left: int
) -> None:
    user_id = house.wallet(1_000)
    house.mode("timeout", applies_to="all", charge=charge, latency_ms=30_000)
    answer = house.pay(user_id, 400, "silent")
    assert _details(answer) == (504, "PENDING", False)
    asked = house.at_the_gateway(house.payment_id(user_id))["attempts"]["ask"]
    wait_until(
        lambda: house.at_the_gateway(house.payment_id(user_id))["attempts"]["ask"] >= asked + 2, "recovery to ask on"
    )
    assert house.at_the_gateway(house.payment_id(user_id))["attempts"]["void"] == 0
    assert (house.statuses(user_id), house.balance(user_id)) == (["PENDING"], 600)
    meanwhile = house.pay(user_id, 400, "silent")
    assert body(meanwhile, 409)["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
    assert "Retry-After" in meanwhile.headers
    house.mode("happy")
    house.wait_for_status(user_id, final)
    again = house.pay(user_id, 400, "silent")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201 if final == "APPROVED" else 504, "true")
    assert house.balance(user_id) == left
    house.verify()


@pytest.mark.long
def test_a_void_is_repeated_until_it_is_answered_and_gives_nothing_back_before(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.mode("500", charge="never")
    with house.gateway.trap("GET /charges/", Then.HOLD) as question:
        first = house.pay_later(user_id, 400)
        question.wait()
        house.mode("500", applies_to="void", charge="never")
        question.let_go()
        answer = first.result(60)
    assert _details(answer) == (502, "PENDING", False)
    assert house.marked(user_id)
    payment_id = house.payment_id(user_id)
    voids = house.at_the_gateway(payment_id)["attempts"]["void"]
    wait_until(lambda: house.at_the_gateway(payment_id)["attempts"]["void"] >= voids + 2, "recovery to void on")
    assert (house.statuses(user_id), house.balance(user_id)) == (["PENDING"], 600)
    house.mode("happy")
    house.wait_for_status(user_id, "FAILED")
    assert house.balance(user_id) == 1_000
    house.verify()


def test_a_declined_charge_whose_answer_was_lost_is_declined_and_refunded_once(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.mode("declined")
    with house.gateway.trap("POST /charges$", Then.LOSE_THE_ANSWER) as trap:
        answer = house.pay(user_id, 400)
        trap.wait_for_the_answer()
    assert body(answer, 201)["status"] == "DECLINED"
    assert house.balance(user_id) == 1_000
    house.verify()


@pytest.mark.long
def test_a_gateway_that_is_not_there_was_sent_nothing_and_the_money_goes_back_at_once(house: Fragile) -> None:
    user_id = house.wallet(1_000)
    house.stop("api")
    house.begin("api", GATEWAY_URL=house.gateway_url)  # a proxy would take the connection
    house.kill("gateway")
    answer = house.pay(user_id, 400)
    house.begin("gateway")
    house.stop("api")
    house.begin("api")
    assert _details(answer) == (504, "FAILED", True)
    assert house.balance(user_id) == 1_000
    assert house.at_the_gateway(answer.json()["error"]["details"]["payment_id"]) == {}
    house.verify()


@pytest.mark.long
def test_a_random_gateway_under_load_leaves_books_and_gateway_in_agreement(house: Fragile) -> None:
    users = [house.wallet(100_000) for _ in range(8)]
    house.mode("random", applies_to="all", latency_ms=1_400, charge="after", seed="crash")
    answers = [house.pay_later(user_id, 7, f"random-{n}") for n in range(12) for user_id in users]
    codes = {answer.result(60).status_code for answer in answers}
    assert codes <= {201, 502, 504, 503}, codes
    house.mode("happy")
    house.verify()
    for user_id in users:
        approved = house.statuses(user_id).count("APPROVED")
        assert house.balance(user_id) == 100_000 - 7 * approved
