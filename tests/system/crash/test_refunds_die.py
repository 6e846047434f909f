"""The API, recovery or the gateway's answer is lost between any two steps of a refund: it is kept, once."""

import httpx
import pytest

from app.kernel.principal import Role
from tests.system.crash.deeds import Place
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.refunds import ASK, POST, Back, paid
from tests.system.crash.trade import insist
from tests.system.e2e.crowd import person
from tests.system.e2e.house import body

COMMITTED = b"COMMIT\0"


@pytest.fixture
def back(house: Fragile) -> Back:
    """A payment to give something back of."""
    return paid(house, person(house, role=Role.ADMIN))


def _died(answer: object) -> None:
    assert isinstance(answer, Exception), f"a dead process answered {answer}"


def _details(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["details"]["status"]


def test_an_api_that_dies_before_transaction_1_has_promised_nothing(house: Fragile, back: Back) -> None:
    with house.postgres.trap("strongbox-reserve: BEGIN", Then.HOLD) as trap:
        first = back.ask_later()
        trap.wait()
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert (back.keys(), back.refunds()) == ([], [])
    house.begin("api")
    back.is_done_once()


@pytest.mark.parametrize(
    "table",
    ["payments.refunds", *(pytest.param(t, marks=pytest.mark.long) for t in ("v1_idempotency_keys", "outbox_events"))],
)
def test_an_api_that_dies_inside_transaction_1_has_promised_nothing(house: Fragile, back: Back, table: str) -> None:
    locked = "payments.outbox_events" if table == "outbox_events" else table
    house.dies_waiting(back.ask, locked, "strongbox-reserve")
    assert (back.keys(), back.refunds()) == ([], [])
    house.begin("api")
    back.is_done_once()


@pytest.mark.parametrize("session", ["strongbox-reserve", "strongbox-settle"])
@pytest.mark.parametrize("then", [Then.LOSE_THE_ANSWER, Then.CUT])
def test_a_lost_commit_is_decided_by_the_same_process_with_one_refund(
    house: Fragile, back: Back, session: str, then: Then
) -> None:
    with house.postgres.trap(f"{session}: COMMIT", then, COMMITTED) as trap:
        answer = back.ask()
        trap.wait()
    assert answer.status_code == 201, answer.text
    assert back.given_back()[0]["attempts"]["refund"] == 1
    back.is_done_once()


def test_what_was_promised_and_never_asked_for_is_asked_for_by_recovery(house: Fragile, back: Back) -> None:
    with house.gateway.trap(POST, Then.HOLD) as trap:
        first = back.ask_later()
        trap.wait()
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert (back.statuses(), back.given_back(), back.balance()) == (["PENDING"], [], 600)
    back.wait_for("COMPLETED")
    house.begin("api")
    back.is_done_once()
    ((entry,),) = [back.given_back()]
    assert entry["attempts"]["refund"] == 1
    assert entry["attempts"]["ask"] >= 1, "it may have asked once more, where the answer came late"


def test_a_refund_whose_answer_the_network_loses_is_given_back_once_however_often_it_is_sent(
    house: Fragile, back: Back
) -> None:
    with house.gateway.trap(POST, Then.LOSE_THE_ANSWER) as trap:
        answer = back.ask()
        trap.wait_for_the_answer()
    assert answer.status_code == 201, answer.text
    assert back.given_back()[0]["attempts"]["refund"] == 2
    back.is_done_once()


def test_an_api_that_dies_with_the_answer_in_hand_leaves_it_to_recovery(house: Fragile, back: Back) -> None:
    with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as trap:
        first = back.ask_later()
        trap.wait()
        assert len(back.given_back()) == 1
        house.kill("api")
        trap.drop()
        _died(first.exception(60))
    assert (back.statuses(), back.balance()) == (["PENDING"], 600)
    back.wait_for("COMPLETED")
    house.begin("api")
    back.is_done_once()
    assert back.given_back()[0]["attempts"]["refund"] == 1


def test_an_api_that_dies_inside_transaction_2_has_credited_nothing(house: Fragile, back: Back) -> None:
    with house.locked("ledger_entries"):
        first = back.ask_later()
        house.wait_for_session("strongbox-settle", "Lock")
        house.kill("api")
        house.wait_until_rolled_back("strongbox-settle")
        _died(first.exception(60))
    assert back.balance() == 600
    back.wait_for("COMPLETED")
    house.begin("api")
    back.is_done_once()


def test_an_api_that_dies_behind_transaction_2_has_credited_once(house: Fragile, back: Back) -> None:
    with house.postgres.trap("strongbox-settle: COMMIT", Then.SWALLOW_ANSWERS, COMMITTED) as trap:
        first = back.ask_later()
        trap.wait_for_the_answer()
        house.kill("api")
        _died(first.exception(60))
    house.begin("api")
    back.is_done_once()


def test_an_api_that_sleeps_over_its_settlement_reads_what_recovery_made_of_it(patient: Fragile) -> None:
    back = paid(patient, person(patient, role=Role.ADMIN))
    with patient.early_recovery(), patient.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as trap:
        first = back.ask_later()
        trap.wait()
        back.wait_for("COMPLETED")
        trap.let_go()
        answer = first.result(60)
    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true")
    back.is_done_once()


@pytest.mark.long
def test_recovery_that_dies_between_its_steps_is_gone_on_with(house: Fragile, back: Back) -> None:
    house.mode("500", applies_to="refund")
    assert _details(back.ask()) == (502, "PENDING")
    house.mode("happy")
    for words in (ASK, POST):
        with house.recovery_gateway.trap(words, Then.HOLD) as trap:
            trap.wait()
            house.kill("recover")
            trap.drop()
        assert (back.statuses(), back.balance()) == (["PENDING"], 600)
        house.begin("recover")
    back.is_done_once()


@pytest.mark.long
def test_two_recoveries_with_one_refund_in_hand_credit_it_once(house: Fragile, back: Back) -> None:
    house.mode("500", applies_to="refund", charge="before")
    assert _details(back.ask()) == (502, "PENDING")
    house.begin("recover2")
    house.mode("happy")
    back.is_done_once()


@pytest.mark.parametrize("mode", ["timeout", "500", "reset", "garbage", "429"])
def test_what_stands_while_its_answer_is_lost_is_found_and_credited_once(house: Fragile, back: Back, mode: str) -> None:
    house.mode(mode, applies_to="refund", charge="before", latency_ms=20_000)
    with house.without("recover"):
        answer = back.ask()
        assert answer.status_code in (502, 504)
        assert (back.statuses(), back.balance(), len(back.given_back())) == (["PENDING"], 600, 1)
        again = back.ask()
        assert (again.status_code, again.json()["error"]["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    back.wait_for("COMPLETED")  # recovery asks, which the mode leaves alone
    house.mode("happy")
    back.is_done_once()


@pytest.mark.parametrize("charge", ["before", pytest.param("never", marks=pytest.mark.long)])
def test_while_the_gateway_is_wholly_silent_nothing_is_credited_and_nothing_can_be_refunded_twice(
    house: Fragile, back: Back, charge: str
) -> None:
    house.mode("timeout", applies_to="all", charge=charge, latency_ms=30_000)
    assert _details(back.ask()) == (504, "PENDING")
    refused = back.ask("other", 251)
    assert (refused.status_code, refused.json()["error"]["details"]) == (409, {"refundable": 250})
    asked = house.recovery_gateway.trap(ASK, Then.HOLD)
    with asked as trap:
        trap.wait()
        trap.let_go()
    assert (back.statuses(), back.balance()) == (["PENDING"], 600)
    house.mode("happy")
    back.is_done_once()


def test_a_wrong_amount_is_no_outcome_and_settled_by_hand_alone(house: Fragile, back: Back) -> None:
    house.mode("wrong_amount", applies_to="refund")
    assert _details(back.ask()) == (502, "PENDING")
    ((refund_id, _),) = back.refunds()
    with house.recovery_gateway.trap(POST, Then.HOLD) as trap:
        trap.wait()
    with house.recovery_gateway.trap(ASK, Then.HOLD) as trap:
        trap.wait()  # it has repeated the refund, and that was no outcome
        trap.let_go()
    assert (back.statuses(), back.balance()) == (["PENDING"], 600)
    assert "PENDING" in house.command("refund", "show", refund_id)
    assert "REFUSED" in house.command("refund", "settle", refund_id, "refused")
    house.mode("happy")
    assert "already" in house.command("refund", "settle", refund_id, "completed", code=1)
    told = body(back.ask(), 201)
    assert (told["refund_id"], told["status"], told["failure_code"]) == (refund_id, "REFUSED", "settled_by_hand")
    done = house.query("SELECT details FROM audit.actions WHERE action = 'refund settle' ORDER BY id")
    begun, ended = (details for (details,) in done)
    assert (begun["refund_id"], begun["outcome"], ended["status"]) == (refund_id, "refused", "REFUSED")
    assert back.balance() == 600
    house.verify()


def test_two_refunds_at_two_apis_over_the_rest_of_one_payment_are_one(house: Fragile, back: Back) -> None:
    second = Place(house, "api", house.ports["HTTP_PORT"]).another()
    with house.postgres.trap("strongbox-reserve: COMMIT", Then.HOLD, COMMITTED) as trap:
        first = back.ask_later("first", 300)
        trap.wait()
        other = back.ask_later("second", 300, second.port)
        house.wait_for_session("strongbox-reserve", "Lock")
        trap.let_go()
        assert first.result(60).status_code == 201
        other.result(60)
    # Where it had no patience left for the lock as it came free, it was told to ask again.
    refused = insist(lambda: back.ask("second", 300, second.port))
    assert body(refused, 409)["error"] == {
        "code": "REFUND_TOO_LARGE",
        "message": "of this payment 100 can be refunded",
        "details": {"refundable": 100},
    }
    assert (back.statuses(), back.balance()) == (["COMPLETED"], 900)
    house.verify()
