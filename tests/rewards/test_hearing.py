"""What is heard of others has its effect once, in whatever order it comes."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.platform.messaging.received_events import Malformed
from tests.fakes.people import Somebody
from tests.rewards.shop import ADDRESS, Shop, event, minted, payment

OTHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


def order(who: Somebody, total: int = 1_000) -> dict[str, Any]:
    """The data of an order."""
    return {
        "order_id": uuid4(), "checkout_id": uuid4(), "buyer_id": who.id, "seller_id": uuid4(), "items": [],
        "total": total, "fee": 0, "currency": "USD", "status": "completed",
    }  # fmt: skip


def test_a_payment_earns_with_its_provider_as_merchant(shop: Shop) -> None:
    data = payment(alice := shop.user())
    shop.rule(100, merchant=str(data["provider_id"]))
    shop.hear("payment.completed", data)
    (told,) = shop.told(alice, "cashback.earned")
    assert (told["merchant"], told["reference"]) == (str(data["provider_id"]), str(data["payment_id"]))
    assert (told["amount"], told["source"], told["refund_id"]) == ("100000", "payment", None)


def test_an_order_earns_with_its_seller_as_merchant(shop: Shop) -> None:
    shop.rule(100)
    data = order(alice := shop.user(ADDRESS))
    shop.hear("order.completed", data, tenantid=shop.people.tenant)
    (told,) = shop.told(alice, "cashback.earned")
    assert (told["merchant"], told["reference"], told["source"]) == (
        str(data["seller_id"]), str(data["order_id"]), "order",
    )  # fmt: skip
    assert shop.balance(alice) == (0, 100_000, 0, 0)


def test_an_event_has_its_effect_once_and_so_has_what_it_is_about(shop: Shop) -> None:
    shop.rule(100)
    data, event_id = payment(alice := shop.user()), uuid4()
    document = event("payment.completed", data, id=event_id)
    shop.hear_all([document, document])
    shop.hear_all([document])
    shop.hear("payment.completed", data)  # another event about the same
    assert shop.kinds(alice) == [("EARNED", 100_000)]


def test_what_is_not_of_its_bindings_has_no_effect(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user()
    shop.hear("payment.created", payment(alice))
    shop.hear("order.paid", order(alice), tenantid=shop.people.tenant)
    shop.hear("user.promoted", {"user_id": alice.id})
    assert shop.kinds(alice) == []


def test_the_time_of_what_happened_decides_which_rule_was_there(shop: Shop) -> None:
    shop.rule(100, until="2026-01-01T00:00:00Z")
    shop.rule(200, **{"from": "2026-01-01T00:00:00Z"})
    alice = shop.user()
    shop.hear("payment.completed", payment(alice), time="2025-12-31T23:59:59.999999Z")
    shop.hear("payment.completed", payment(alice), time="2026-01-01T00:00:00Z")
    assert shop.kinds(alice) == [("EARNED", 100_000), ("EARNED", 200_000)]


def test_a_payment_of_somebody_unknown_waits_until_they_are(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(is_told=False)
    documents = [event("payment.completed", payment(alice)) for _ in range(2)]
    shop.hear_all(documents)
    shop.hear_all(documents)
    assert shop.query("SELECT count(*) FROM rewards.parked_events WHERE user_id = %s", alice.id) == [(2,)]
    assert shop.kinds(alice) == []
    shop.tell(alice, ADDRESS)
    assert shop.balance(alice) == (0, 200_000, 0, 0)
    assert shop.query("SELECT count(*) FROM rewards.parked_events WHERE user_id = %s", alice.id) == [(0,)]
    shop.hear_all(documents)
    assert shop.balance(alice) == (0, 200_000, 0, 0)


@pytest.mark.parametrize("how", ["a purchase", "an order", "in one batch"])
def test_they_are_known_by_whatever_tells_first(shop: Shop, how: str) -> None:
    shop.rule(100)
    alice = shop.user(is_told=False)
    paid = event("payment.completed", payment(alice))
    match how:
        case "a purchase":
            shop.hear_all([paid])
            shop.bought(alice)
        case "an order":
            shop.hear_all([paid])
            shop.hear("order.completed", order(alice), tenantid=shop.people.tenant)
        case _:
            data = {"user_id": alice.id, "tenant_id": shop.people.tenant, "wallet_address": None}
            ordered = event("order.completed", order(alice), tenantid=shop.people.tenant)
            shop.hear_all([paid, event("user.registered", data, subject=alice.id), ordered])
    assert shop.balance(alice)[0] == 200_000


def test_whoever_begins_to_wait_and_whoever_comes_to_be_known_do_not_miss_each_other(shop: Shop) -> None:
    """At once, again and again: nothing waits for somebody who is known."""
    shop.rule(100)
    for _ in range(20):
        alice = shop.user(is_told=False)
        data = {"user_id": alice.id, "tenant_id": shop.people.tenant, "wallet_address": None}
        documents = [event("payment.completed", payment(alice)), event("user.registered", data, subject=alice.id)]

        async def both(documents: list[bytes] = documents) -> None:
            await asyncio.gather(*(shop.container.hearing()([document]) for document in documents))

        asyncio.run_coroutine_threadsafe(both(), shop.served.loop).result(300)
        assert shop.balance(alice) == (100_000, 0, 0, 0)
    assert shop.query("SELECT count(*) FROM rewards.parked_events") == [(0,)]


def test_a_link_asks_for_all_that_is_accrued(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user()
    entries = [shop.bought(alice, amount)["cashback"]["entry_id"] for amount in (100, 200, 300)]
    shop.tell(alice, ADDRESS, 2)
    assert shop.balance(alice) == (0, 60_000, 0, 0)
    asked = shop.told(alice, "mint.requested")
    assert [one["entry_id"] for one in asked] == entries
    assert {one["address"] for one in asked} == {ADDRESS.lower()}


def test_of_what_is_told_of_somebody_the_newest_holds(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(is_told=False)
    shop.tell(alice, OTHER, 3)
    shop.tell(alice, ADDRESS, 2)
    shop.tell(alice, None, 1)
    shop.bought(alice)
    assert [one["address"] for one in shop.told(alice, "mint.requested")] == [OTHER.lower()]


def test_tenants_are_told_apart(shop: Shop) -> None:
    shop.rule(100)
    stranger = shop.user(tenant=shop.people.other_tenant)
    shop.hear("payment.completed", payment(stranger))
    assert shop.kinds(stranger) == [], "the rule is another tenant's"
    assert shop.query("SELECT tenant_id FROM rewards.purchases WHERE user_id = %s", stranger.id) == [
        (shop.people.other_tenant,)
    ]


def test_what_fails_is_asked_for_under_another_id(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    shop.bought(alice)
    for attempt in range(1, 4):
        asked = shop.told(alice, "mint.requested")
        assert len({one["request_id"] for one in asked}) == len(asked) == attempt
        shop.fail(alice, asked[-1])
    shop.mint(alice, shop.told(alice, "mint.requested")[-1])
    assert shop.balance(alice) == (0, 0, 100_000, 0)


def test_what_cannot_be_is_not_taken_and_changes_nothing(shop: Shop) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    shop.bought(alice)
    (asked,) = shop.told(alice, "mint.requested")
    for wrong in ({"request_id": str(uuid4())}, {"entry_id": str(uuid4())}, {"user_id": str(uuid4())}):
        with pytest.raises(Malformed):
            shop.hear("mint.completed", minted(asked | wrong))
    shop.fail(alice, asked)
    with pytest.raises(Malformed, match="has failed"):
        shop.mint(alice, asked)
    assert shop.balance(alice) == (0, 100_000, 0, 0)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("payment.completed", {"amount": 0}),
        ("payment.completed", {"amount": 2**63}),
        ("payment.completed", {"currency": "usd"}),
        ("payment.completed", {"user_id": "x"}),
        ("user.registered", {"wallet_address": "0x12"}),
        ("user.registered", {"wallet_address": "0x" + "0" * 40}),
        ("user.registered", {"tenant_id": None}),
        ("mint.completed", {"tx_hash": ""}),
    ],
)
def test_what_is_malformed_is_said_to_be(shop: Shop, kind: str, wrong: dict[str, Any]) -> None:
    alice = shop.user()
    good = {
        "payment.completed": payment(alice),
        "user.registered": {"user_id": alice.id, "tenant_id": shop.people.tenant, "wallet_address": None},
        "mint.completed": {"request_id": uuid4(), "entry_id": uuid4(), "user_id": alice.id, "tx_hash": "0x"},
    }[kind]
    with pytest.raises(Malformed):
        shop.hear(kind, good | wrong)
    with pytest.raises(Malformed):
        shop.hear_all([b"{"])


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_time_that_nobody_could_read_again_is_malformed(shop: Shop, time: str, is_known: bool) -> None:
    with pytest.raises(Malformed, match="time"):
        shop.hear("payment.completed", payment(shop.user() if is_known else uuid4()), time=time)


@pytest.mark.parametrize("trace", ["\0", "00-x", "é", "0" * 100_000], ids=["NUL", "short", "letters", "long"])
def test_a_trace_that_is_none_is_not_told_on(shop: Shop, trace: str) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    shop.hear("payment.completed", payment(alice), traceparent=trace)
    (found,) = shop.query("SELECT count(*) FROM rewards.outbox_events WHERE user_id = %s AND payload ->> 'traceparent'"
                          " IS NOT NULL", alice.id)  # fmt: skip
    assert found == (0,)
    assert len(shop.told(alice, "mint.requested")) == 1


def test_an_event_of_a_wallet_that_is_nobodys_waits_for_good(shop: Shop) -> None:
    nobody = UUID(int=uuid4().int)
    shop.hear("payment.completed", payment(nobody))
    assert shop.query("SELECT amount, currency FROM rewards.parked_events WHERE user_id = %s", nobody) == [
        (1_000, "USD")
    ]
    shop.query("DELETE FROM rewards.parked_events WHERE user_id = %s", nobody)
