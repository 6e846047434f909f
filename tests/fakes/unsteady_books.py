"""Books whose commits get lost, and what a lane does about that."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import TypeVar

import psycopg

from app.contexts.payments.application.books import Changes, PaymentBooks, PaymentWork
from app.kernel.errors import Unavailable
from app.platform.postgres.errors import Retry
from tests.fakes.turns import fate_of, turn

C = TypeVar("C")
R = TypeVar("R")


class Fate(Enum):
    """What befalls a COMMIT whose answer never comes."""

    LOST_BEFORE = "the connection was lost before the COMMIT took effect"
    LOST_AFTER = "the connection was lost after the COMMIT took effect"


class UnsteadyBooks:
    """Books whose commits meet the fates that a test lines up: the first commit the first, and so on."""

    def __init__(self, books: PaymentBooks, *fates: Fate | None) -> None:
        self._books = books
        self.fates = list(fates)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PaymentWork]:
        async with self._books.begin() as work:
            yield _UnsteadyWork(work, self)


class _UnsteadyWork:
    def __init__(self, work: PaymentWork, books: UnsteadyBooks) -> None:
        self._work = work
        self._books = books
        self.claim, self.hold = work.claim, work.hold

    async def commit(self, changes: Changes) -> None:
        fate = fate_of(await turn(), Fate)
        if self._books.fates:
            fate = self._books.fates.pop(0)
        if fate is not Fate.LOST_BEFORE:
            await self._work.commit(changes)
        if fate is not None:
            raise psycopg.OperationalError(fate.value)


def one_by_one(use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]]) -> Callable[..., Awaitable[R]]:
    """The use case for one command at a time, with what a lane does about a lost connection or a conflict."""

    async def submit(command: C, deadline: float = float("inf")) -> R:
        try:
            return (await use_case([command]))[0]
        except (psycopg.OperationalError, Retry):
            pass
        try:
            return (await use_case([command]))[0]
        except (psycopg.OperationalError, Retry) as error:
            raise Unavailable(str(error)) from error

    return submit
