"""Two API processes meet at one wallet, and at one key: only the database stands between them."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app.platform.process.processes import free_port
from tests.system.crash.fragile import PARTS, Fragile
from tests.system.crash.proxy import Then
from tests.system.e2e.house import LIMIT_S, _ok, body, wait_until

# Behind the claim and the locks, before anything is written.
HALF_WAY = r"strongbox-reserve: \s*INSERT INTO payments"


class Second:
    """Another API over the same database."""

    def __init__(self, house: Fragile) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._house = house
        house.start("api2", *PARTS["api"], expect=lambda: _ok(f"{self.url}/readyz"), HTTP_PORT=str(port))

    def pay(self, user_id: object, amount: int, key: str, **members: object) -> httpx.Response:
        """Send a payment there."""
        request = self._house.payment(user_id, amount, key, **members)  # type: ignore[arg-type]
        return httpx.post(**request | {"url": f"{self.url}/wallets/{user_id}/payments"}, timeout=LIMIT_S)


@contextmanager
def second(house: Fragile) -> Iterator[Second]:
    """It ends in good order."""
    yield Second(house)
    assert house.stop("api2") == 0


def test_money_that_another_api_has_read_but_not_yet_taken_is_not_spent_twice(patient: Fragile) -> None:
    house = patient
    user_id = house.wallet(1_000)
    with second(house) as other:
        with house.postgres.trap(HALF_WAY, Then.HOLD) as taking:
            first = house.pay_later(user_id, 600, "here")
            taking.wait()
            meanwhile = other.pay(user_id, 600, "there")
            assert (meanwhile.status_code, house.balance(user_id)) == (503, 1_000)
            taking.let_go()
            assert first.result(60).status_code == 201
        wait_until(lambda: other.pay(user_id, 600, "there").status_code != 503, "the wallet")
        refused = other.pay(user_id, 600, "there")
    assert body(refused, 409)["error"]["code"] == "INSUFFICIENT_FUNDS"
    assert (house.statuses(user_id), house.balance(user_id)) == (["APPROVED"], 400)
    house.verify()


def test_a_key_that_another_api_has_claimed_but_not_yet_committed_makes_no_second_payment(patient: Fragile) -> None:
    """The second request is for another wallet of the user: nothing but the key is common to both."""
    house = patient
    user_id = house.wallet(1_000)
    house.command("wallet", "fund", str(user_id), "EUR", "1000")
    with second(house) as other:
        with house.postgres.trap(HALF_WAY, Then.HOLD) as claiming:
            first = house.pay_later(user_id, 400, "same")
            claiming.wait()
            meanwhile = other.pay(user_id, 400, "same", currency="EUR")
            assert (meanwhile.status_code, house.statuses(user_id)) == (503, [])
            claiming.let_go()
            assert first.result(60).status_code == 201
        wait_until(lambda: other.pay(user_id, 400, "same", currency="EUR").status_code != 503, "the key")
        refused = other.pay(user_id, 400, "same", currency="EUR")
    assert body(refused, 422)["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert house.statuses(user_id) == ["APPROVED"]
    assert (house.balance(user_id), house.balance(user_id, "EUR")) == (600, 1_000)
    house.verify()
