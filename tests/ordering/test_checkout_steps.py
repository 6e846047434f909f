"""Each step of a checkout is repeatable, whatever became of it, whoever does it, and with whom at the same time."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from app.contexts.catalog.public import Reserved
from app.contexts.funds.public import Done, HoldId, Placement
from app.contexts.ordering.application.begin import Begin
from app.contexts.ordering.application.conclude import Conclude, Paid, Refused
from app.contexts.ordering.application.place import Place, Placing
from app.contexts.ordering.domain.checkout import Checkout
from app.kernel.money import Money
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.idempotency.keys import Answered
from app.platform.postgres.lanes import Lane
from app.platform.process.uuid7 import uuid7
from tests.ordering.fates import Death, Fate
from tests.ordering.market import Market, code_of, market_over, sorted_codes, try_out
from tests.ordering.unsteady import Unsteady
from tests.ordering.verified import offenders


@pytest.fixture(scope="module")
async def market(module_database: Urls, postgres_server: PostgresServer) -> AsyncIterator[Market]:
    async with market_over(module_database, postgres_server) as opened:
        yield opened
        assert await offenders(opened) == []


async def nothing() -> None:
    """No pool looks at its connections."""


@pytest.mark.parametrize("behind", [False, True])
async def test_a_commit_that_was_not_answered_is_found_out_by_the_same_again(market: Market, behind: bool) -> None:
    c, lamp = market.here.container, await market.product(5)
    buyer, poor = await market.buyer(2_500, {lamp: 2}), await market.buyer(1, {lamp: 1})
    books = Unsteady(c.books(), behind=behind)
    fee = c.settings().market_fee_bp

    def lane(use_case: object) -> Lane[object, object]:
        return Lane(use_case, size=8, queue_limit=8, on_lost=nothing)  # type: ignore[arg-type]

    begin = lane(Begin(books, c.answers(), 15.0))  # type: ignore[arg-type]
    place = lane(Place(books, uuid7))  # type: ignore[arg-type]
    conclude = lane(Conclude(books, c.answers(), uuid7, fee))  # type: ignore[arg-type]
    for who, total, code in ((buyer, 2_500, "paid"), (poor, 1_250, "INSUFFICIENT_FUNDS")):
        checkout = await begin.submit(market.request(who, total))
        assert isinstance(checkout, Checkout)
        reserved = await c.catalog.stock().reserve(checkout.reservation, market.tenant, who, checkout.lines)
        assert isinstance(reserved, Reserved)
        orders = await place.submit(Placing(checkout.ref, reserved.lines, market.house))
        assert isinstance(orders, list)
        holds = [Placement(market.tenant, who, Money(order.total_minor, order.currency)) for order in orders]
        outcome = await c.funds.funds().together(checkout.holding, holds)
        if isinstance(outcome, Done):
            await c.catalog.stock().take(market.tenant, checkout.reservation)
            ended = await conclude.submit(Paid(checkout.ref, [HoldId(outcome.ids[0])]))
        else:
            await c.catalog.stock().give_back(market.tenant, checkout.reservation)
            ended = await conclude.submit(Refused(checkout.ref, outcome.refusal))
        assert isinstance(ended, Answered)
        assert code_of(ended) == code
        assert await market.key(who) == [(ended.answer.status, ended.answer.body)]
    assert books.lost == 12, "each of the six transactions was lost once"
    assert await market.events(buyer) == [("order.paid", 1)]


async def test_every_step_done_twice_is_done_once(market: Market) -> None:
    c, lamp = market.here.container, await market.product(5)
    buyer = await market.buyer(2_500, {lamp: 2})
    request = market.request(buyer, 2_500)

    async def twice(step: object, *arguments: object) -> object:
        results = await asyncio.gather(*(step(*arguments) for _ in range(2)))  # type: ignore[operator]
        again = await step(*arguments)  # type: ignore[operator]
        firsts = [r.answer if isinstance(r, Answered) else r for r in (*results, again)]
        assert [repr(each) for each in firsts] == [repr(firsts[0])] * 3
        return results[0]

    checkout = await c.begin().submit(request)
    assert isinstance(checkout, Checkout)
    assert await c.begin().submit(request) == checkout
    reserved = await twice(c.catalog.stock().reserve, checkout.reservation, market.tenant, buyer, checkout.lines)
    assert isinstance(reserved, Reserved)
    orders = await twice(c.place().submit, Placing(checkout.ref, reserved.lines, market.house))
    assert isinstance(orders, list)
    holds = [Placement(market.tenant, buyer, Money(order.total_minor, order.currency)) for order in orders]
    outcome = await twice(c.funds.funds().together, checkout.holding, holds)
    assert isinstance(outcome, Done)
    await twice(c.catalog.stock().take, market.tenant, checkout.reservation)
    await twice(c.conclude().submit, Paid(checkout.ref, [HoldId(outcome.ids[0])]))
    assert await market.stands(lamp) == (3, 0, 2)
    assert await market.events(buyer) == [("order.paid", 1)]


DECISIONS = {
    "paid": (3, ["forbid", "take", "conclude"]),
    "given up": (2, ["forbid", "forbid", "give_back", "conclude"]),
}
DEATHS = [
    (what, at, behind) for what, (_, calls) in DECISIONS.items() for at in range(len(calls)) for behind in (False, True)
]


@pytest.mark.parametrize(("what", "at", "behind"), DEATHS)
async def test_recovery_that_dies_is_recovered_from(market: Market, what: str, at: int, behind: bool) -> None:
    dies_behind, calls = DECISIONS[what]
    lamp = await market.product(2)
    buyer = await market.buyer(2_500, {lamp: 2})
    request = market.request(buyer, 2_500)
    with pytest.raises(Death):
        await market.here.check_out(Fate(dies_behind, behind=True))(request, 1e12)
    checkout = await market.here.container.begin().submit(request)
    assert isinstance(checkout, Checkout)
    fate = Fate(at, behind=behind)
    with pytest.raises(Death):
        await market.here.end(fate).decide(checkout)
    assert fate.calls == calls[: at + 1]
    there = await market.process()
    await there.recover()
    is_paid = what == "paid"
    assert await market.stands(lamp) == ((0, 0, 2) if is_paid else (2, 0, 0))
    assert await market.cart(buyer) == [("checked_out", True) if is_paid else ("active", False)]
    assert len(await market.key(buyer)) == is_paid
    assert code_of(await try_out(market.here.check_out(), market.request(buyer, 2_500))) == "paid"
    assert await market.events(buyer) == [("order.paid", 1)]


SLEEPERS = [(at, what) for at in range(6) for what in ("recovery", "the same cart")]


@pytest.mark.parametrize(("at", "what"), SLEEPERS)
async def test_one_who_sleeps_anywhere_wakes_up_to_what_was_decided(market: Market, at: int, what: str) -> None:
    lamp = await market.product(2)
    buyer = await market.buyer(2_500, {lamp: 2})
    asleep, awake = asyncio.Event(), asyncio.Event()

    class Sleeper(Fate):
        async def call(self, name: str, calling: object) -> object:  # type: ignore[override]
            if len(self.calls) == at:
                asleep.set()
                await awake.wait()
            self.calls.append(name)
            return await calling()  # type: ignore[operator]

    sleeping = asyncio.create_task(try_out(market.here.check_out(Sleeper()), market.request(buyer, 2_500)))
    await asleep.wait()
    there = await market.process()
    if what == "recovery":
        await there.recover()
        by_others = None
    else:
        aged = "UPDATE ordering.checkouts SET created_at = created_at - interval '16 s' WHERE user_id = %s"
        await market.all(aged, buyer)
        by_others = await try_out(there.check_out(), market.request(buyer, 2_500, "another"))
    awake.set()
    result = await sleeping
    assert code_of(result) in ("paid", "Unavailable", "CART_EMPTY", "CHECKOUT_IN_PROGRESS")
    paid = [each for each in (result, by_others) if each is not None and code_of(each) == "paid"]
    stored = await market.key(buyer) + await market.key(buyer, "another")
    assert len([status for status, _ in stored if status == 201]) == len(await market.events(buyer)) <= 1
    for each in paid:
        assert isinstance(each, Answered)
        assert (each.answer.status, each.answer.body) in stored
    is_paid = any(status == "paid" for status, _ in await market.orders(buyer))
    assert await market.stands(lamp) == ((0, 0, 2) if is_paid else (2, 0, 0))
    assert await market.wallet(buyer) == ((0, 2_500) if is_paid else (2_500, 0))


async def test_recovery_that_is_far_too_early_spoils_nothing(market: Market) -> None:
    lamp, chair = await market.product(30, price=100), await market.product(60, price=10)
    buyers = [await market.buyer(120, {lamp: 1, chair: 2}) for _ in range(40)]
    there, over = await market.process(), asyncio.Event()

    async def recover() -> None:
        while not over.is_set():
            await there.recover()

    recovering = asyncio.create_task(recover())
    results: Sequence[Answered | Exception] = await asyncio.gather(
        *(try_out(market.here.check_out(), market.request(buyer, 120)) for buyer in buyers)
    )
    over.set()
    await recovering
    await there.recover()
    codes = sorted_codes(results)
    assert set(codes) <= {"paid", "OUT_OF_STOCK", "Unavailable"}
    assert await market.all("SELECT count(*) FROM ordering.checkouts WHERE status = 'pending'") == [(0,)]
    paid = await market.all(
        "SELECT count(*) FROM ordering.checkouts WHERE status = 'paid' AND user_id = ANY(%s)", buyers
    )
    assert await market.stands(lamp) == (30 - paid[0][0], 0, paid[0][0])
    assert await offenders(market) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("is_active = false", "OUT_OF_STOCK"),
        ("deleted_at = now()", "OUT_OF_STOCK"),
        ("price = price + 1", "PRICE_CHANGED"),
        ("currency = 'EUR'", "OUT_OF_STOCK"),
    ],
)
async def test_what_is_changed_in_the_middle_is_decided_by_the_reservation(
    market: Market, change: str, code: str
) -> None:
    for at, expected in ((1, code), (2, "paid")):
        lamp = await market.product(2)
        buyer = await market.buyer(2_500, {lamp: 2})

        class Changing(Fate):
            async def call(self, name: str, calling: object) -> object:  # type: ignore[override]
                if len(self.calls) == at:  # noqa: B023 -- it is over before the next
                    await market.all(f"UPDATE catalog.products SET {change} WHERE id = %s", lamp)  # noqa: B023
                self.calls.append(name)
                return await calling()  # type: ignore[operator]

        result = await try_out(market.here.check_out(Changing()), market.request(buyer, 2_500))
        assert code_of(result) == expected
