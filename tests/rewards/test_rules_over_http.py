"""Rules as admins have them, and caps by the month of the database's clock."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.rewards.shop import Shop


def change(shop: Shop, rule: dict[str, Any], **members: Any) -> Any:
    return shop.client.patch(f"/v1/rewards/rules/{rule['rule_id']}", json=members, headers=shop.admin.bearer)


def test_a_rule_is_as_it_was_said(shop: Shop) -> None:
    said: dict[str, Any] = {
        "category": "light", "merchant": "lamps", "from": "2026-01-01T01:00:00+01:00", "until": "2027-01-01T00:00:00Z",
        "cap_per_user_month": str(2**256 - 1), "min_amount": 100, "is_active": False,
    }  # fmt: skip
    rule = shop.rule(10_000, **said)
    assert rule | said == rule | {"from": said["from"], "until": said["until"]}
    assert (rule["from"], rule["until"]) == ("2026-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z")
    listed = shop.get(shop.admin, "/v1/rewards/rules").json()["rules"]
    assert rule in listed
    times = [one["created_at"] for one in listed]
    assert times == sorted(times), "the oldest first"


def test_what_is_not_said_is_any(shop: Shop) -> None:
    rule = shop.rule()
    assert [rule[name] for name in ("category", "merchant", "from", "until", "cap_per_user_month", "min_amount")] == (
        [None] * 6
    )
    assert rule["is_active"] is True


def test_what_is_changed_holds_from_then_on(shop: Shop) -> None:
    rule, alice = shop.rule(100, cap_per_user_month="7", category="x"), shop.user()
    assert shop.bought(alice)["cashback"] is None
    changed = change(shop, rule, basis_points=50, cap_per_user_month=None, category=None)
    assert changed.status_code == 200
    assert changed.json() == rule | {"basis_points": 50, "cap_per_user_month": None, "category": None}
    assert shop.bought(alice)["cashback"]["amount"] == "50000"
    assert change(shop, rule, is_active=False).json()["is_active"] is False
    assert shop.bought(alice)["cashback"] is None
    assert change(shop, rule).json()["basis_points"] == 50, "nothing said is nothing changed"


def test_a_cap_is_for_each_user_and_month_by_the_databases_clock(shop: Shop) -> None:
    shop.rule(100, cap_per_user_month="150000")
    alice, bob = shop.user(), shop.user()
    earned = [shop.bought(alice)["cashback"] for _ in range(3)]
    assert [one and one["amount"] for one in earned] == ["100000", "50000", None]
    assert shop.bought(bob)["cashback"]["amount"] == "100000"
    # what was given before this month began counts no more
    shop.query(
        "UPDATE rewards.entries SET created_at = date_trunc('month', now(), 'UTC') - interval '1 us'"
        " WHERE user_id = %s", alice.id,
    )  # fmt: skip
    assert shop.bought(alice)["cashback"]["amount"] == "100000"
    shop.query("UPDATE rewards.entries SET created_at = date_trunc('month', now(), 'UTC') WHERE user_id = %s", alice.id)
    assert shop.bought(alice)["cashback"] is None


def test_what_is_given_back_makes_no_room_below_a_cap(shop: Shop) -> None:
    shop.rule(100, cap_per_user_month="100000")
    alice = shop.user()
    purchase = shop.bought(alice)
    assert shop.refund(purchase).status_code == 201
    assert shop.bought(alice)["cashback"] is None


def test_what_is_left_of_a_cap_decides_between_rules(shop: Shop) -> None:
    first = shop.rule(200, cap_per_user_month="250000")
    second = shop.rule(100)
    alice = shop.user()
    won = [shop.bought(alice)["cashback"]["rule_id"] for _ in range(2)]
    assert won == [first["rule_id"], second["rule_id"]]


def test_rules_are_their_tenants(shop: Shop) -> None:
    rule = shop.rule()
    stranger = shop.people.user(role=Role.ADMIN, tenant=shop.people.other_tenant)
    assert shop.get(stranger, "/v1/rewards/rules").json() == {"rules": []}
    answer = shop.client.patch(
        f"/v1/rewards/rules/{rule['rule_id']}", json={"is_active": False}, headers=stranger.bearer
    )
    error(answer, 404, "NOT_FOUND")
    error(change(shop, {"rule_id": uuid4()}), 404, "NOT_FOUND")


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SELLER])
def test_rules_are_for_admins(shop: Shop, role: Role) -> None:
    somebody = shop.people.user(role=role)
    error(shop.get(somebody, "/v1/rewards/rules"), 403, "FORBIDDEN")


def test_a_time_that_ends_before_it_begins_is_none(shop: Shop) -> None:
    body = {"basis_points": 1, "currency": "USD", "from": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    answer = shop.client.post("/v1/rewards/rules", json=body, headers=shop.admin.bearer)
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["until"]
    rule = shop.rule(until="2026-01-02T00:00:00Z")
    assert [*error(change(shop, rule, **{"from": "2026-01-03T00:00:00Z"}), 400, "VALIDATION_ERROR")] == ["until"]
