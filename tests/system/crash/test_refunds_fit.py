"""The API dies over a refund whose wallet is full but for what was promised: the room is kept, and it comes back."""

from app.kernel.money import MAX_MINOR
from app.kernel.principal import Role
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.refunds import POST, paid
from tests.system.e2e.crowd import person
from tests.system.e2e.house import LIMIT_S, body
from tests.system.e2e.paying_in import pay_in


def test_what_was_promised_by_an_api_that_dies_fits_into_a_wallet_that_is_full_by_then(house: Fragile) -> None:
    back = paid(house, person(house, role=Role.ADMIN))
    pay_in(house.environment, back.user_id, "USD", MAX_MINOR - 600 - 150)
    with house.without("recover"):
        with house.gateway.trap(POST, Then.HOLD) as trap:
            first = back.ask_later()
            trap.wait()
            house.kill("api")
            trap.drop()
            assert first.exception(LIMIT_S) is not None
        refused = house.command("wallet", "fund", str(back.user_id), "USD", "1", code=1)
        assert "2^63-1" in refused, "the room is kept for what was promised"
        assert (back.statuses(), back.balance()) == (["PENDING"], MAX_MINOR - 150)
    back.wait_for("COMPLETED")
    assert (back.balance(), len(back.given_back())) == (MAX_MINOR, 1)
    house.begin("api")
    assert body(back.ask(), 201)["status"] == "COMPLETED"
    assert body(back.ask("more", 1), 409)["error"]["code"] == "BALANCE_LIMIT"
    house.verify()
