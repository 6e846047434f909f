"""Hearing what is asked for."""

from collections.abc import Awaitable, Callable, Sequence

from app.contexts.mint.application.ask_chain import AskChain
from app.contexts.mint.application.ports import Asked, Requests
from app.contexts.mint.domain.request import Outcome, RequestStatus
from app.kernel.errors import NeighbourAway

HELD_S = 10.0
"""For so long whoever heard of a request has it alone, as a rule. Asked for twice it is minted once."""


class ChainSilent(NeighbourAway):
    """The chain does not say what becomes of a request."""


class HearAndAsk:
    """Notes requests, asks the chain for them, and has heard of each once the chain has said something."""

    def __init__(self, requests: Requests, ask: AskChain, observe: Callable[[Sequence[Outcome]], None]) -> None:
        """`observe` is told of those that came to their end."""
        self._requests = requests
        self._ask = ask
        self._observe = observe

    async def __call__(self, asked: Sequence[Asked]) -> None:
        """Hear the events.

        Raises:
            Malformed: a request id is known with something else.
            ConnectionError: the database is away, or the chain has not answered for all of them.
        """
        standing = await self._requests.note(asked, for_s=HELD_S)
        outcomes = await self._ask([each for each in standing if each.request.status is RequestStatus.REQUESTED])
        silent = {outcome.request.id for outcome in outcomes if outcome.status is None}
        heard = [each.event_id for each in asked if each.request.id not in silent]
        self._observe(await self._requests.conclude(outcomes, heard))
        if silent:
            raise ChainSilent(f"the chain does not answer for {len(silent)} request(s)")


class Hear:
    """Notes requests, and leaves them to whoever looks for what is due."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def __call__(self, asked: Sequence[Asked]) -> None:
        """Hear the events. Raises as `HearAndAsk` does."""
        await self._requests.note(asked, for_s=0.0, is_heard=True)


Hearing = Callable[[Sequence[Asked]], Awaitable[None]]
