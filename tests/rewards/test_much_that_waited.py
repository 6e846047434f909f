"""Whoever has accrued a lot before there was an address: all of it is asked for, a part at a time, and once."""

import pytest

from app.contexts.rewards.adapters.postgres import entry_rows
from app.contexts.rewards.application import hear
from app.kernel.errors import NeighbourAway
from tests.fakes.people import Somebody
from tests.rewards.shop import ADDRESS, Shop, event, payment

FEW = 5
OTHER = "0x" + "ab" * 20


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many go at once."""
    monkeypatch.setattr(hear, "AT_MOST", FEW)
    monkeypatch.setattr(entry_rows, "AT_MOST", FEW)


def waiting(shop: Shop, entries: int, address: str | None = None) -> Somebody:
    """Somebody who has accrued that often."""
    shop.rule(100)
    somebody = shop.user(address)
    shop.hear_all([event("payment.completed", payment(somebody)) for _ in range(entries)])
    return somebody


@pytest.mark.parametrize("entries", [FEW - 1, FEW, FEW + 1, 4 * FEW + 2])
def test_a_link_asks_for_all_of_it_once(shop: Shop, entries: int) -> None:
    alice = waiting(shop, entries)
    shop.tell(alice, ADDRESS, 2)
    asked = shop.told(alice, "mint.requested")
    assert len({each["entry_id"] for each in asked}) == len(asked) == entries
    assert {each["address"] for each in asked} == {ADDRESS.lower()}
    assert shop.balance(alice) == (0, entries * 100_000, 0, 0)
    shop.tell(alice, ADDRESS, 2)
    assert len(shop.told(alice, "mint.requested")) == entries


def test_one_that_was_broken_off_is_gone_on_with(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, begun, go_on = waiting(shop, 4 * FEW), 0, hear.Hear._ask_for_some

    async def breaks(*given: object) -> bool:
        nonlocal begun
        begun += 1
        if begun == 3:
            raise NeighbourAway("the process is gone")
        return await go_on(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(hear.Hear, "_ask_for_some", breaks)
    link = event(
        "user.address_linked", {"user_id": alice.id, "tenant_id": shop.people.tenant, "wallet_address": ADDRESS},
        subject=alice.id, sequence=2,
    )  # fmt: skip
    with pytest.raises(NeighbourAway):
        shop.hear_all([link])
    assert shop.balance(alice) == (2 * FEW * 100_000, 2 * FEW * 100_000, 0, 0)
    shop.bought(alice)  # there is no address yet
    shop.hear_all([link])
    assert shop.balance(alice) == (0, (4 * FEW + 1) * 100_000, 0, 0)


def test_older_news_and_an_address_that_is_taken_away_ask_for_nothing(shop: Shop) -> None:
    alice = waiting(shop, 2 * FEW)
    shop.tell(alice, None, 3)
    shop.tell(alice, OTHER, 2)
    assert shop.told(alice, "mint.requested") == []
    shop.tell(alice, ADDRESS, 4)
    assert {each["address"] for each in shop.told(alice, "mint.requested")} == {ADDRESS.lower()}


def test_a_debt_is_paid_out_of_as_many_as_it_takes(shop: Shop) -> None:
    alice = waiting(shop, 0, ADDRESS)
    purchase = shop.bought(alice, 10_000)
    shop.mint(alice, shop.told(alice, "mint.requested")[0])
    shop.tell(alice, None, 2)
    shop.hear_all([event("payment.completed", payment(alice)) for _ in range(3 * FEW)])
    assert shop.balance(alice) == (3 * FEW * 100_000, 0, 1_000_000, 0)
    assert shop.refund(purchase, amount=9_500).status_code == 201
    assert shop.balance(alice) == (3 * FEW * 100_000 - 950_000, 0, 1_000_000, 0)
    assert len([kind for kind, _ in shop.kinds(alice) if kind == "OFFSET"]) == 10
    assert shop.refund(purchase).status_code == 201
    assert shop.balance(alice) == (3 * FEW * 100_000 - 1_000_000, 0, 1_000_000, 0)
