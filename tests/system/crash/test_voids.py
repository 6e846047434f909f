"""Between the mark, the void and the refund: nothing is final before its time, and no money comes back twice."""

import uuid

from tests.system.crash.fragile import EARLY, Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import body, wait_until

TWICE = "money that was paid back twice"


def test_between_the_mark_and_the_void_the_same_key_is_answered_that_it_is_in_progress(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    with (
        house.without("recover"),  # it would void the payment itself, were this to take long
        house.gateway.trap("POST /charges$", Then.CUT),
        house.gateway.trap("/void$", Then.HOLD) as void,
    ):
        first = house.pay_later(user_id, 400, "between")
        void.wait()
        assert (house.marked(user_id), house.statuses(user_id)) == (True, ["PENDING"])
        meanwhile = house.pay(user_id, 400, "between")
        assert body(meanwhile, 409)["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
        assert meanwhile.json()["error"]["details"] == {"payment_id": house.payment_id(user_id)}
        assert "Retry-After" in meanwhile.headers
        assert _stored_answers(house, user_id) == [None]
        void.let_go()
        answer = first.result(60)
    assert body(answer, 504)["error"]["details"]["status"] == "FAILED"
    assert house.pay(user_id, 400, "between").content == answer.content
    assert house.balance(user_id) == 1_000
    house.verify()


def test_a_void_that_two_recoveries_have_in_hand_is_refunded_once(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    house.stop("recover")
    with (
        house.gateway.trap("POST /charges$", Then.CUT),
        house.gateway.trap("/void$", Then.HOLD) as void,
    ):
        house.pay_later(user_id, 400, "twice")
        void.wait()
        house.kill("api")
    house.begin("api")
    before = _recovered(house)
    with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling:
        house.begin("recover", **EARLY, DATABASE_URL=house.own["api"]["DATABASE_URL"])
        settling.wait()  # the void is confirmed: FAILED and the refund are in its hands
        house.begin("recover2", **EARLY)
        house.wait_for_status(user_id, "FAILED")
        assert house.balance(user_id) == 1_000
        settling.let_go()
        wait_until(lambda: _recovered(house) > before, "the first recovery to read what stands")
    assert house.balance(user_id) == 1_000, TWICE
    ((refunds,),) = house.query("SELECT count(*) FROM transactions WHERE user_id = %s AND kind = 'REFUND'", user_id)
    ((held,),) = house.query(
        "SELECT sum(amount)::bigint FROM ledger_entries WHERE user_id = %s AND account = 'wallet'", user_id
    )
    assert (refunds, held) == (1, 1_000), TWICE
    assert house.pay(user_id, 1_000, "all-of-it").status_code == 201
    assert house.pay(user_id, 1, "more").status_code == 409, TWICE
    house.verify()


def _stored_answers(house: Fragile, user_id: uuid.UUID) -> list[int | None]:
    rows = house.query("SELECT response_status FROM idempotency_keys WHERE user_id = %s", user_id)
    return [status for (status,) in rows]


def _recovered(house: Fragile) -> int:
    """How many payments the first recovery says it has finished."""
    return house.log("recover").count("payment_recovered")
