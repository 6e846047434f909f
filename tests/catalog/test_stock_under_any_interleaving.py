"""Whatever is asked of the stock, in whatever order and in whatever batches, comes to what the slow stock says."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.contexts.catalog.application.desk import Desk
from app.contexts.catalog.application.forbid import Prohibition
from app.contexts.catalog.application.move_stock import Movement
from app.contexts.catalog.application.settling import GiveBack, Settling, Take
from app.contexts.catalog.domain.reservation import Reservation
from app.contexts.catalog.public import OutOfStock, ProductId, Reserved
from app.kernel.ids import UserId
from app.kernel.operation_id import OperationId
from app.main.local.roles import Urls
from tests.builders import user_id
from tests.catalog.slow_stock import SlowStock
from tests.catalog.stocking import TENANT, Stocks, lines, name_of, open_stocks

Say = tuple[Any, ...]
START = (4, 9, 1, 5)
OFFERED = (True, True, True, False)
BUYERS = 3

products = st.sampled_from([0, 0, 1, 1, 1, 2, 3])
wanted = st.dictionaries(products, st.integers(1, 4), min_size=1, max_size=3)
names = st.integers(0, 4)
buyers = st.one_of(st.none(), st.integers(0, BUYERS - 1))
reserves = st.tuples(st.just("reserve"), names, buyers, wanted)
takes = st.tuples(st.just("take"), names)
some = st.one_of(st.none(), st.lists(products, max_size=2, unique=True))
returns = st.tuples(st.just("give_back"), names, some)
forbids = st.tuples(st.just("forbid"), names)


def settles_others(batch: Sequence[Say]) -> bool:
    """Nobody settles what is not yet known to be reserved: not in one batch with its reservation."""
    return not {name for kind, name, *_ in batch if kind == "reserve"} & {
        name for kind, name, *_ in batch if kind != "reserve"
    }


reserving = st.lists(reserves, min_size=1, max_size=4)
settling = st.lists(st.one_of(takes, returns), min_size=1, max_size=3)
moving = st.lists(st.one_of(reserves, takes, returns), min_size=2, max_size=5).filter(settles_others)
batches = st.one_of(reserving, settling, moving, moving, st.lists(forbids, min_size=1, max_size=2))
FIRST: Sequence[Say] = (("reserve", 0, 0, {0: 1, 1: 2}), ("reserve", 1, 1, {1: 1}), ("reserve", 2, None, {1: 1, 2: 1}))
"""Something is reserved from the beginning."""
commands = st.one_of(reserves, reserves, takes, returns, forbids)


@dataclass
class Both:
    """The real stock and the slow one, of the same products."""

    real: Stocks
    slow: SlowStock
    products: list[ProductId]
    buyers: list[UserId]
    business: UUID

    async def run(self, batch: Sequence[Say]) -> None:
        """A batch; both have to say the same."""
        said: Sequence[object]
        if batch[0][0] == "forbid":
            said = await self.real.forbid([Prohibition(TENANT, self._id(name)) for _, name in batch])
        else:
            said = await self.real.move([self._movement(*command) for command in batch])
        assert [self.plain(each) for each in said] == [getattr(self.slow, kind)(*rest) for kind, *rest in batch]
        await self.compare()

    async def compare(self) -> None:
        """The products stand alike, and the same was bought."""
        slow = self.slow
        for n, product in enumerate(self.products):
            assert await self.real.stands(product) == (slow.left[n], slow.reserved[n], slow.sold[n], 1 + slow.moves[n])
        query = "SELECT buyer_id, product_id, times FROM catalog.purchases WHERE product_id = ANY(%s)"
        bought = {(self.buyers[of], self.products[n], times) for (of, n), times in slow.bought.items() if times}
        assert {*await self.real.all(query, self.products)} == bought

    async def ask(self, desk: Desk, command: Say) -> object:
        """What the desk says to a command, which others go along with."""
        match command:
            case "reserve", name, buyer, wanted:
                asked = self._reservation(name, buyer, wanted)
                return await desk.reserve(asked.operation, TENANT, asked.buyer, asked.lines)
            case "forbid", name:
                return await desk.forbid(TENANT, self._id(name))
        settling = self._settling(*command)
        try:
            if isinstance(settling, Take):
                await desk.take(TENANT, settling.operation)
            else:
                await desk.give_back(TENANT, settling.operation, settling.products)
        except LookupError as missing:
            return missing
        return None

    def _id(self, name: int) -> OperationId:
        return OperationId("model", self.business, f"step {name}")

    def _reservation(self, name: int, buyer: int | None, wanted: dict[int, int]) -> Reservation:
        own = tuple(lines({self.products[n]: qty for n, qty in wanted.items()}))
        return Reservation(self._id(name), TENANT, None if buyer is None else self.buyers[buyer], own)

    def _movement(self, kind: str, *asked: Any) -> Movement:
        return self._reservation(*asked) if kind == "reserve" else self._settling(kind, *asked)

    def _settling(self, kind: str, name: int, some: Sequence[int] | None = None) -> Settling:
        if kind == "take":
            return Take(TENANT, self._id(name))
        return GiveBack(TENANT, self._id(name), None if some is None else frozenset(self.products[n] for n in some))

    def plain(self, said: object) -> object:
        """As the slow stock says it."""
        if isinstance(said, Reserved):
            return {(self.products.index(line.product_id), line.qty) for line in said.lines}
        if isinstance(said, OutOfStock):
            return {self.products.index(product): available for product, available in said.available.items()}
        return None if said is None else name_of(said)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def opened(runner: asyncio.Runner, module_database: Urls, superuser_url: str) -> Iterator[Stocks]:
    stack = AsyncExitStack()
    stocks = runner.run(stack.enter_async_context(open_stocks(module_database.app_url, superuser_url)))
    yield stocks
    assert runner.run(stocks.offenders()) == []
    runner.run(stack.aclose())


async def both_of(stocks: Stocks) -> Both:
    ids = [await stocks.product(n, is_active=offered) for n, offered in zip(START, OFFERED, strict=True)]
    return Both(stocks, SlowStock(list(START), OFFERED), ids, [user_id() for _ in range(BUYERS)], uuid4())


@settings(max_examples=120, phases=[Phase.generate])  # what fails is short; making it shorter would take minutes
@given(asked=st.lists(batches, min_size=3, max_size=10))
def test_any_interleaving_comes_to_what_the_slow_stock_says(
    runner: asyncio.Runner, opened: Stocks, asked: list[list[Say]]
) -> None:
    async def run() -> None:
        both = await both_of(opened)
        for batch in (FIRST, *asked):
            await both.run(batch)

    runner.run(run())


@settings(max_examples=40, phases=[Phase.generate])
@given(asked=st.lists(st.tuples(st.booleans(), commands), min_size=6, max_size=40))
def test_two_processes_at_once_leave_nothing_that_does_not_add_up(
    runner: asyncio.Runner, opened: Stocks, asked: list[tuple[bool, Say]]
) -> None:
    """In which order they come is theirs; whatever it is, what is told stays so, and all of it adds up."""

    async def run() -> None:
        both = await both_of(opened)
        desks = {False: opened.make_desk(), True: opened.make_desk()}
        await both.run(FIRST)
        await asyncio.gather(*(both.ask(desks[which], command) for which, command in asked))
        told = [await both.ask(opened.desk, ("forbid", name)) for name in range(5)]
        again = [await both.ask(desks[False], ("forbid", name)) for name in range(5)]
        assert [*map(both.plain, again)] == [*map(both.plain, told)]
        assert await opened.offenders() == []

    runner.run(run())
