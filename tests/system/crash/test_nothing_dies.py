"""The matrix's control: what goes wrong in the other tests goes right when nothing dies."""

from tests.system.crash.fragile import Fragile
from tests.system.e2e.house import body, wait_until


def test_on_a_quiet_day_payments_are_approved_declined_refused_and_replayed(house: Fragile) -> None:
    user_id, before = house.wallet(1_000), house.counted_so_far()
    approved = house.pay(user_id, 400, "quiet")
    again = house.pay(user_id, 400, "quiet")
    assert body(approved, 201)["status"] == "APPROVED"
    assert (again.content, again.headers["Idempotent-Replayed"]) == (approved.content, "true")
    assert house.pay(user_id, 700).status_code == 409
    house.mode("declined")
    declined = house.pay(user_id, 100).json()
    house.mode("500", charge="never")
    failed = house.pay(user_id, 100)
    assert (declined["status"], failed.status_code) == ("DECLINED", 502)
    assert house.balance(user_id) == 600
    wait_until(lambda: len(house.trail(declined["payment_id"])) == 3, "the audit trail")
    house.wait_until_counted(before + 1)
    house.verify()
