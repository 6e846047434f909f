"""What is asked in one moment, asked together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import Generic, NamedTuple, TypeVar

C = TypeVar("C")
R = TypeVar("R")


class _Asked(NamedTuple, Generic[C, R]):
    command: C
    timeout_s: float
    answer: "asyncio.Future[R]"


class Together(Generic[C, R]):
    """Asks for what was submitted in one turn of the loop, `at_once` at the most in a call.

    Nobody waits for others but these: what comes later goes by itself. Each of them gets its own answer, and all of
    them what the call raises.
    """

    def __init__(self, ask: Callable[[Sequence[C], float], Awaitable[Sequence[R | Exception]]], at_once: int) -> None:
        self._ask = ask
        self._at_once = at_once
        self._asked: list[_Asked[C, R]] = []
        self._calls: set[asyncio.Task[None]] = set()

    async def submit(self, command: C, timeout_s: float) -> R:
        """The answer, within that time."""
        loop = asyncio.get_running_loop()
        asked: _Asked[C, R] = _Asked(command, timeout_s, loop.create_future())
        self._asked.append(asked)
        if len(self._asked) == 1:
            loop.call_soon(self._begin)
        return await asked.answer

    def _begin(self) -> None:
        asked, self._asked = self._asked, []
        for first in range(0, len(asked), self._at_once):
            call = asyncio.ensure_future(self._call(asked[first : first + self._at_once]))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, asked: Sequence[_Asked[C, R]]) -> None:
        answers: Sequence[R | Exception]
        try:
            answers = await self._ask([each.command for each in asked], min(each.timeout_s for each in asked))
        except Exception as error:
            answers = [copy(error) for _ in asked]
        for each, answer in zip(asked, answers, strict=True):
            if each.answer.done():
                continue
            if isinstance(answer, Exception):
                each.answer.set_exception(answer)
            else:
                each.answer.set_result(answer)
