"""Every order in which steps can happen, one play after another, without a clock."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

Choose = Callable[[Sequence[str]], int]


def every_order() -> Iterator[Choose]:
    """Choices for one play after another, until every order has been played."""
    path: list[int] = []
    while True:
        taken: list[tuple[int, int]] = []

        def choose(options: Sequence[str], path: list[int] = path, taken: list[tuple[int, int]] = taken) -> int:
            choice = path[len(taken)] if len(taken) < len(path) else 0
            taken.append((choice, len(options)))
            return choice

        yield choose
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        path = [*(choice for choice, _ in taken[:-1]), taken[-1][0] + 1]


def in_this_order(*steps: str) -> Choose:
    """Choices for one play that takes these steps first, one behind the other, and then whatever waits longest."""
    left = [*steps]

    def choose(options: Sequence[str]) -> int:
        return options.index(left.pop(0)) if left else 0

    return choose


class Turns:
    """Whoever has a step to make waits for its turn; who is next is chosen when nobody else can go on."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self.taken: list[str] = []

    async def turn(self, step: str) -> None:
        """Wait for the turn of this step."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((step, mine))
        await mine

    async def play(self, *actors: Awaitable[None]) -> None:
        """Until nobody has a step left."""
        tasks = [asyncio.ensure_future(actor) for actor in actors]
        while await self._settled():
            number = self._choose([step for step, _ in self._waiting])
            step, next_ = self._waiting.pop(number)
            self.taken.append(step)
            next_.set_result(None)
        for task in tasks:
            assert task.done(), f"{self.taken} leads nowhere"
            task.result()

    async def _settled(self) -> bool:
        ready: Collection[object] = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while ready:  # noqa: ASYNC110 -- it is the loop itself that is waited for
            await asyncio.sleep(0)
        return bool(self._waiting)
