"""Whatever is asked of funds, in whatever order and in whatever batches, comes to what the slow books say."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.contexts.funds.application.closing import Capture, Closing, Release
from app.contexts.funds.domain.operation import Credit, Operation, Placement, Resize, Transfer
from app.contexts.funds.public import Done, HoldId, HoldRef, Member, Part
from app.kernel.ids import UserId
from app.kernel.money import MAX_MINOR
from app.kernel.operation_id import OperationId
from app.main.local.roles import Urls
from tests.builders import USD, money
from tests.funds.moving import TENANT, Books, codes, open_books
from tests.funds.slow_books import Say, SlowBooks

PAST = datetime(2026, 1, 1, tzinfo=UTC)
START: Sequence[int | None] = (100, 40, MAX_MINOR - 30, None)
"""What four users have: the third has hardly any room, the last no wallet."""

users = st.integers(0, len(START) - 1)
amounts = st.one_of(st.integers(1, 60), st.integers(1, 200))
names = st.integers(1, 12)
numbers = st.integers(0, 3)
pairs = st.tuples(users, users).filter(lambda pair: pair[0] != pair[1])


def members_of(owner: int) -> st.SearchStrategy[list[Say]]:
    """What can be asked for a user in one operation."""
    transfers = st.tuples(st.just("transfer"), st.just(owner), users.filter(lambda user: user != owner), amounts)
    holds = st.tuples(st.just("hold"), st.just(owner), amounts, st.booleans())
    resizes = st.tuples(st.just("resize"), numbers, amounts)
    credits_ = st.tuples(st.just("credit"), st.just(owner), amounts)
    return st.lists(st.one_of(transfers, holds, holds, resizes, credits_), min_size=1, max_size=3)


parts = st.lists(st.tuples(users, st.integers(1, 60)), min_size=1, max_size=2, unique_by=lambda part: part[0])
operations = st.tuples(st.just("perform"), names, users.flatmap(members_of))
forbids = st.tuples(st.just("forbid"), names)
closings = st.one_of(
    st.tuples(st.just("release"), numbers),
    st.builds(lambda number, some: ("capture", number, *sorted(some)), numbers, parts),
)
performing = st.lists(operations, min_size=1, max_size=4)
closing = st.lists(closings, min_size=1, max_size=4)
batches = st.one_of(performing, performing, closing, closing, st.lists(forbids, min_size=1, max_size=2))
FIRST: Sequence[Say] = (
    ("perform", 0, [("hold", 0, 60, False), ("hold", 0, 10, True)]),
    ("perform", -1, [("hold", 1, 30, False)]),
    ("perform", -2, [("hold", 2, 50, False)]),
)
"""There are holds from the beginning."""


@dataclass
class Both:
    """The real books and the slow ones, about the same users and holds."""

    real: Books
    slow: SlowBooks
    users: list[UserId]
    holds: list[HoldRef]
    business: Any

    async def run(self, batch: list[Say]) -> None:
        """A batch of one kind of command; both have to say the same."""
        asked = [command for command in batch if self._can_be_asked(command)]
        if not asked:
            return
        kind = asked[0][0]
        if kind == "perform":
            asking = [self.real.perform_one(self._operation(*command[1:])) for command in asked]
            results: Sequence[Any] = await asyncio.gather(*asking)
            expected = [self.slow.perform(name, members) for _, name, members in asked]
            self._note_holds(asked, results)
        elif kind == "forbid":
            results = await self.real.forbid([self._id(name) for _, name in asked])
            expected = [self.slow.forbid(name) for _, name in asked]
        else:
            results = await self.real.close([self._closing(command) for command in asked])
            expected = [self.slow.close(command) for command in asked]
        assert codes(results) == expected
        for number, user in enumerate(self.users):
            balance = self.slow.balances[number]
            stands = await self.real.stands(user)
            assert stands == (None if balance is None else (balance, self.slow.held[number])) or (
                balance is None and stands == (0, 0)  # opened for somebody's money that came to no more than that
            )

    def _can_be_asked(self, command: Say) -> bool:
        """Whether it is about holds that there are, and of one user."""
        if command[0] == "perform":
            owners = {self._owner(member) for member in command[2]}
            return len(owners) == 1 and None not in owners
        if command[0] == "forbid":
            return True
        is_there = command[1] < len(self.holds)
        return is_there and all(user != self.slow.holds[command[1]].owner for user, _ in command[2:])

    def _owner(self, member: Say) -> int | None:
        if member[0] != "resize":
            return int(member[1])
        return self.slow.holds[member[1]].owner if member[1] < len(self.holds) else None

    def _id(self, name: int) -> OperationId:
        return OperationId("model", self.business, f"step {name}")

    def _operation(self, name: int, members: list[Say]) -> Operation:
        return Operation(self._id(name), tuple(map(self._member, members)))

    def _member(self, member: Say) -> Member:
        match member:
            case "transfer", sender, recipient, amount:
                return Transfer(TENANT, self.users[sender], self.users[recipient], money(amount))
            case "credit", recipient, amount:
                return Credit(TENANT, self.users[recipient], money(amount))
            case "hold", owner, amount, is_over:
                return Placement(TENANT, self.users[owner], money(amount), PAST if is_over else None)
            case _, number, amount:
                return Resize(self.holds[number], amount)
        raise AssertionError(member)

    def _closing(self, command: Say) -> Closing:
        kind, number, *some = command
        if kind == "release":
            return Release(self.holds[number])
        return Capture(self.holds[number], tuple(Part(self.users[user], amount) for user, amount in some))

    def _note_holds(self, asked: list[Say], results: Sequence[Any]) -> None:
        """The ids of holds that are new, in their order."""
        known = {hold.id for hold in self.holds}
        for (_, _, members), result in zip(asked, results, strict=True):
            if not isinstance(result, Done):
                continue
            for member, made in zip(members, result.ids, strict=True):
                if member[0] == "hold" and made not in known:
                    known.add(HoldId(made))
                    self.holds.append(HoldRef(self.users[member[1]], USD, HoldId(made)))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def opened(runner: asyncio.Runner, module_database: Urls) -> Iterator[Books]:
    stack = AsyncExitStack()
    books = runner.run(stack.enter_async_context(open_books(module_database)))
    yield books
    assert runner.run(books.offenders()) == []
    runner.run(stack.aclose())


@settings(max_examples=150, phases=[Phase.generate])  # what fails is short; making it shorter would take minutes
@given(asked=st.lists(batches, max_size=10))
def test_any_interleaving_comes_to_what_the_slow_books_say(
    runner: asyncio.Runner, opened: Books, asked: list[list[Say]]
) -> None:
    async def run() -> None:
        ids = [await opened.user(balance or 0) for balance in START]
        both = Both(opened, SlowBooks(list(START), [0] * len(START)), ids, [], uuid4())
        for batch in ([*FIRST], *asked):
            await both.run(batch)

    runner.run(run())
