"""What comes of what is heard does not hang on the order in which it comes, nor on how much comes at once."""

import itertools
import random
from typing import Any

import pytest

from tests.fakes.people import Somebody
from tests.rewards.shop import ADDRESS, Shop, event, failed, minted, payment

OTHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"


def _story(shop: Shop, alice: Somebody) -> tuple[dict[str, Any], list[bytes]]:
    """Something that is being minted, and what is told after it: that it was, of another address, of a payment."""
    purchase = shop.bought(alice)
    (asked,) = shop.told(alice, "mint.requested")
    linked = {"user_id": alice.id, "tenant_id": shop.people.tenant, "wallet_address": OTHER}
    return purchase, [
        event("mint.completed", minted(asked)),
        event("user.address_linked", linked, subject=alice.id, sequence=2),
        event("payment.completed", payment(alice, 500)),
    ]


@pytest.mark.parametrize("places", [*itertools.permutations(range(4))], ids=lambda places: "".join(map(str, places)))
def test_the_order_of_arrival_changes_nothing_in_the_end(shop: Shop, places: tuple[int, ...]) -> None:
    shop.rule(100)
    alice = shop.user(ADDRESS)
    purchase, documents = _story(shop, alice)
    for place in places:
        if place == 3:
            assert shop.refund(purchase, amount=300).status_code == 201
        else:
            shop.hear_all([documents[place]])
    # 100,000 minted; 30,000 owed, paid out of the 50,000 of the payment if that came behind the refund
    accrued, minting, minted_, debt = shop.balance(alice)
    assert accrued + minting + minted_ - debt == 120_000
    assert (accrued, minted_) == (0, 100_000)
    assert (minting, debt) == ((20_000, 0) if places.index(2) > places.index(3) else (50_000, 30_000))


def test_many_events_of_many_people_are_a_few_transactions(shop: Shop) -> None:
    """As a consumer that is behind has them: in one batch, each one's in their order, duplicates among them."""
    shop.rule(100)
    people = [shop.user(ADDRESS) for _ in range(10)]
    documents = [event("payment.completed", payment(who)) for who in people for _ in range(5)]
    random.Random(1).shuffle(documents)
    shop.hear_all([*documents, *documents[:7]])
    assert {shop.balance(who) for who in people} == {(0, 500_000, 0, 0)}
    asked = [one for who in people for one in shop.told(who, "mint.requested")]
    ends = [event("mint.completed", minted(one)) for one in asked[::2]]
    ends += [event("mint.failed", failed(one)) for one in asked[1::2]]
    random.Random(2).shuffle(ends)
    shop.hear_all(ends)
    left = [shop.balance(who) for who in people]
    assert sum(minting for _, minting, *_ in left) == sum(100_000 for _ in asked[1::2])
    assert all(sum(balance[:3]) == 500_000 for balance in left)
