"""Settings change under what is recorded: what was begun comes to its end, and what is held stays its owner's."""

import uuid
from collections.abc import Iterator

import pytest

from tests.system.e2e.house import House, body, wait_until

OLD, NEW = "GONE", "USDC"


@pytest.fixture
def gone(house: House) -> Iterator[House]:
    """The house in which a currency is known, until `leave` is called."""
    house.environment["EXTRA_CURRENCIES"] = OLD
    _restart(house)
    yield house
    house.environment["EXTRA_CURRENCIES"] = NEW
    _restart(house)
    house.mode("happy")


def leave(house: House) -> None:
    """The currency is known no more, to any process."""
    house.environment["EXTRA_CURRENCIES"] = NEW
    _restart(house)


def _restart(house: House) -> None:
    for name in ("api", "recover"):
        house.stop(name)
    house.start_api()
    house.start("recover", "app", "recover")


def test_a_payment_that_is_open_when_its_currency_leaves_is_answered_settled_and_paid_back(gone: House) -> None:
    house = gone
    user_id = house.wallet(1_000, OLD)
    paid = house.pay(user_id, 100, "paid", currency=OLD)
    house.mode("timeout", applies_to="all", charge="before", latency_ms=20_000)
    assert house.pay(user_id, 200, "charged", currency=OLD).status_code == 504
    house.mode("timeout", applies_to="all", charge="never", latency_ms=20_000)
    assert house.pay(user_id, 300, "lost", currency=OLD).status_code == 504
    leave(house)
    meanwhile = house.pay(user_id, 200, "charged", currency=OLD)
    assert body(meanwhile, 409)["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS"
    house.mode("happy")
    wait_until(lambda: house.pay(user_id, 200, "charged", currency=OLD).status_code == 201, "the charge to be found")
    wait_until(lambda: house.pay(user_id, 300, "lost", currency=OLD).status_code == 504, "the money to be back")
    again = house.pay(user_id, 100, "paid", currency=OLD)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (paid.content, "true")
    reused = house.pay(user_id, 101, "paid", currency=OLD)
    assert reused.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert house.balance(user_id, OLD) == 700
    house.verify()


def test_what_is_held_in_a_currency_that_has_left_is_shown_and_spent_and_nothing_is_added(gone: House) -> None:
    house = gone
    user_id, other_id = house.wallet(1_000, OLD), house.wallet(1_000)
    fund = ("wallet", "fund", str(user_id), OLD)
    house.command(*fund, "50", "--reference", "salary")
    leave(house)
    assert "paid in before" in house.command(*fund, "50", "--reference", "salary")
    assert "'GONE' is not a currency" in house.command(*fund, "50", code=2)
    assert house.get(f"/wallets/{user_id}/balance", currency=OLD).json()["balances"][0]["current_balance"] == 1_050
    assert len(house.get(f"/wallets/{user_id}/transactions", currency=OLD).json()["transactions"]) == 2
    assert OLD in house.command("wallets", "show", str(user_id))
    house.mode("declined")
    assert body(house.pay(user_id, 50, currency=OLD), 201)["status"] == "DECLINED"
    house.mode("happy")
    assert body(house.pay(user_id, 1_050, currency=OLD), 201)["status"] == "APPROVED"
    assert body(house.pay(user_id, 1, currency=OLD), 409)["error"]["code"] == "INSUFFICIENT_FUNDS"
    for answer in (
        house.pay(other_id, 1, currency=OLD),
        house.get(f"/wallets/{other_id}/balance", currency=OLD),
        house.get(f"/wallets/{other_id}/transactions", currency=OLD),
    ):
        assert body(answer, 400)["error"]["code"] == "VALIDATION_ERROR"
        assert answer.json()["error"]["details"].keys() == {"currency"}
    house.verify()


def test_a_payment_whose_provider_is_inactive_by_now_is_answered_as_before(house: House) -> None:
    provider_id = uuid.uuid4()
    house.command("provider", "add", "Leaving", "--id", str(provider_id))
    user_id = house.wallet(1_000)
    first = house.pay(user_id, 100, "kept", provider_id=str(provider_id))
    house.query("UPDATE service_providers SET is_active = false WHERE id = %s RETURNING id", provider_id)
    again = house.pay(user_id, 100, "kept", provider_id=str(provider_id))
    assert (first.status_code, again.content, again.headers["Idempotent-Replayed"]) == (201, first.content, "true")
    assert house.pay(user_id, 100, "new", provider_id=str(provider_id)).status_code == 404
    house.verify()
