"""What is given back of a payment takes its cashback back, in proportion, whichever of the two is heard of first."""

from typing import Any
from uuid import uuid4

import pytest

from app.platform.messaging.received_events import Malformed
from tests.rewards.shop import Shop, event, payment


def refund(paid: dict[str, Any], amount: int, **more: Any) -> dict[str, Any]:
    """The data of a refund."""
    return {
        "refund_id": uuid4(), "payment_id": paid["payment_id"], "user_id": paid["user_id"], "amount": amount,
        "currency": "USD", "status": "COMPLETED", "reason": None, "failure_code": None, **more,
    }  # fmt: skip


def waiting(shop: Shop) -> int:
    ((count,),) = shop.query("SELECT count(*) FROM rewards.parked_refunds")
    assert isinstance(count, int)
    return count


def test_a_part_is_taken_back_rounded_up_and_the_rest_with_the_rest(shop: Shop) -> None:
    shop.rule(1_000)
    who = shop.user()
    paid = payment(who, 999)
    shop.hear("payment.completed", paid)
    earned = shop.balance(who)[0]
    assert earned == 999_000
    shop.hear("refund.completed", refund(paid, 100))
    left = earned - -(-earned * 100 // 999)
    assert shop.balance(who) == (left, 0, 0, 0)
    shop.hear("refund.completed", refund(paid, 899))
    assert shop.balance(who) == (0, 0, 0, 0)
    assert [kind for kind, _ in shop.kinds(who)] == ["EARNED", "REVERSED", "REVERSED"]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_refund_that_is_heard_of_before_its_payment_waits_for_it(shop: Shop, at_once: bool) -> None:
    shop.rule(1_000)
    who = shop.user()
    paid = payment(who, 1_000)
    back, sold = event("refund.completed", refund(paid, 250)), event("payment.completed", paid)
    before = waiting(shop)
    if at_once:
        shop.hear_all([back, sold])
    else:
        shop.hear_all([back])
        assert waiting(shop) == before + 1
        shop.hear_all([back])
        shop.hear_all([sold])
    assert (shop.balance(who), waiting(shop)) == ((750_000, 0, 0, 0), before)
    shop.hear_all([back, sold])
    assert shop.balance(who) == (750_000, 0, 0, 0)


@pytest.mark.parametrize("first", ["refund", "payment"])
def test_what_strangers_paid_and_were_given_back_waits_until_somebody_tells_of_them(shop: Shop, first: str) -> None:
    shop.rule(1_000)
    who = shop.user(is_told=False)
    paid = payment(who, 1_000)
    told = [event("payment.completed", paid), event("refund.completed", refund(paid, 100))]
    for document in reversed(told) if first == "refund" else told:
        shop.hear_all([document])
    shop.tell(who)
    assert shop.balance(who) == (900_000, 0, 0, 0)


def test_the_same_refund_in_another_event_takes_nothing_back_again(shop: Shop) -> None:
    shop.rule(1_000)
    who = shop.user()
    paid = payment(who, 1_000)
    shop.hear("payment.completed", paid)
    back = refund(paid, 100)
    for _ in range(2):
        shop.hear("refund.completed", back)
    assert shop.balance(who) == (900_000, 0, 0, 0)


def test_what_earned_nothing_owes_nothing(shop: Shop) -> None:
    who = shop.user()
    paid = payment(who, 1_000)
    shop.hear("payment.completed", paid)
    shop.hear("refund.completed", refund(paid, 1_000))
    assert shop.balance(who) == (0, 0, 0, 0)


def test_what_was_minted_is_owed_and_paid_by_what_is_earned_next(shop: Shop) -> None:
    shop.rule(1_000)
    who = shop.user("0x" + "ab" * 20)
    paid = payment(who, 1_000)
    shop.hear("payment.completed", paid)
    shop.hear("refund.completed", refund(paid, 1_000))
    assert shop.balance(who) == (0, 1_000_000, 0, 1_000_000)
    shop.hear("payment.completed", payment(who, 1_500))
    assert shop.balance(who) == (0, 1_500_000, 0, 0)


def test_more_than_was_paid_or_to_somebody_else_cannot_be(shop: Shop) -> None:
    shop.rule(1_000)
    who, other = shop.user(), shop.user()
    paid = payment(who, 1_000)
    shop.hear("payment.completed", paid)
    for wrong in (refund(paid, 1_001), refund(paid, 1, user_id=other.id), refund(paid, 1, currency="EUR")):
        with pytest.raises(Malformed):
            shop.hear("refund.completed", wrong)
    assert shop.balance(who) == (1_000_000, 0, 0, 0)


def test_money_that_never_left_says_nothing(shop: Shop) -> None:
    who = shop.user()
    shop.hear("refund.created", {"refund_id": uuid4(), "payment_id": uuid4(), "user_id": who.id, "amount": 5})
    assert shop.balance(who) == (0, 0, 0, 0)
