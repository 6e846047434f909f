"""Pursuing requests until the chain has confirmed or refused them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from app.contexts.mint.application.ask_chain import AskChain
from app.contexts.mint.application.ports import Requests
from app.contexts.mint.domain.request import Outcome

AT_ONCE = 256
LEASE_S = 10.0
"""What a killed process had in hand is taken up again by then. Asked about by two, a request comes to one end."""


class Pursued(NamedTuple):
    """So many requests were asked about, and the chain said nothing of so many."""

    asked: int
    silent: int

    @property
    def there_may_be_more(self) -> bool:
        """Whether others may be due as well."""
        return self.asked == AT_ONCE and not self.silent


class Pursue:
    """Asks the chain again about what is open and due, whoever heard of it."""

    def __init__(self, requests: Requests, ask: AskChain, observe: Callable[[Sequence[Outcome]], None]) -> None:
        """`observe` is told of those that came to their end."""
        self._requests = requests
        self._ask = ask
        self._observe = observe

    async def __call__(self) -> Pursued:
        """Go through what is due now, or as much of it as goes at once.

        Raises:
            ConnectionError: the database is away.
        """
        due = await self._requests.due(AT_ONCE, LEASE_S)
        if not due:
            return Pursued(0, 0)
        outcomes = await self._ask(due)
        self._observe(await self._requests.conclude(outcomes))
        return Pursued(len(due), sum(outcome.status is None for outcome in outcomes))
