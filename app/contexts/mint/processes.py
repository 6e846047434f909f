"""What runs of minting: the consumer of `mint.queue`, and what pursues requests beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog

from app.contexts.mint.adapters.messaging.requested import Requested
from app.contexts.mint.adapters.metrics.mints import OpenRequests, breaker_look
from app.contexts.mint.adapters.postgres.tables import INBOX
from app.contexts.mint.application.pursue import Pursue, Pursued
from app.contexts.mint.container import MintContainer
from app.kernel.errors import Unavailable
from app.platform.context import Hearing, Work
from app.platform.metrics.gauges import Look
from app.platform.process.rounds import Rounds
from app.platform.process.settings import Settings
from app.platform.process.waiting import pause

IDLE_S: Final = 0.1
"""Between two looks at what is due."""
SILENT_S: Final = 1.0
"""The same, where the chain does not answer."""

_log = structlog.get_logger(__name__)


def hearing(container: MintContainer, in_process: bool) -> Hearing:
    """The handler, and the pursuit.

    Beside a broker the handler asks the chain itself: a message waits in its queue until the chain has answered. In the
    relay's process it only notes, and the pursuit does the rest; without a chain to ask requests stay as they are.
    """
    settings: Settings = container.platform.settings()
    if in_process and not settings.text("chain_grpc_url"):
        _log.warning("chain_not_known", reason="CHAIN_GRPC_URL is not set: what is asked for is noted, and waits")
        return Hearing(handle=Requested(container.hear()), inbox=INBOX, around=_open(container, ()))
    looks = [breaker_look(container.breaker(), container.registry())]
    heard = container.hear() if in_process else container.hear_and_ask()
    works = [_pursuing(container.pursue())]
    return Hearing(handle=Requested(heard), inbox=INBOX, around=_open(container, looks), works=works)


@asynccontextmanager
async def _open(container: MintContainer, looks: Sequence[Look]) -> AsyncIterator[Sequence[Look]]:
    seen = container.seen_requests()
    try:
        yield [*looks, OpenRequests(seen, container.registry()).look]
    finally:
        for each in (container.hearing_requests(), container.pursuing_requests(), seen):
            await each.close()


def _pursuing(pursue: Pursue) -> Work:
    async def work(stop: asyncio.Event) -> None:
        rounds, silent = Rounds("pursue_mints"), False
        while not stop.is_set():
            wait_s = rounds.wait_s(SILENT_S)
            with rounds.survived():
                pursued = await _round(pursue)
                # Nothing due says nothing of a chain that did not answer before.
                silent = pursued.silent > 0 or (silent and not pursued.asked)
                if silent:
                    raise Unavailable("the chain does not answer")
                wait_s = 0.0 if pursued.there_may_be_more else IDLE_S
            if wait_s:
                await pause(wait_s, stop)

    return work


async def _round(pursue: Pursue) -> Pursued:
    """Go through what is due."""
    try:
        return await pursue()
    except ConnectionError as error:
        raise Unavailable(str(error)) from error
