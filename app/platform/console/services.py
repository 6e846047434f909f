"""What the console needs to be given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.application.actions import ActionLog, Actions
from app.application.dead_letters.ports import DeadLetters
from app.application.mock_gateway import GatewayControl
from app.application.outbox.replay import Replayed
from app.application.payments.recent import RecentPayments
from app.application.payments.story import Story
from app.application.ports import WalletReader
from app.application.status.health import Health
from app.application.status.pulse import Pulse
from app.application.wallets.standing import Standings

Progress = Callable[[int, int], None]
"""Told how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """What an API process says of its way to the gateway; None where it does not say."""

    api: str
    state: str | None
    slots_in_use: int | None


class Replaying(Protocol):
    """Replays a range: `app.main.replaying.replay_range`."""

    async def __call__(
        self,
        record: Actions,
        since: datetime,
        until: datetime,
        queue: str,
        dry_run: bool,
        progress: Progress,
        stop: asyncio.Event,
    ) -> Replayed:
        """Publish the events from `since` until before `until` into the queue, or count them."""
        ...  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """What stands behind the console. Without queues there are neither dead letters nor replays; without a gateway's
    URL there is no control of it."""

    look: Callable[[], Awaitable[Mapping[str, Health]]]
    breakers: Callable[[], Awaitable[Sequence[Breaker]]]
    pulse: Pulse
    recent: RecentPayments
    story: Callable[[UUID], Awaitable[Story]]
    standings: Standings
    reader: WalletReader
    queues: Sequence[str]
    letters: DeadLetters | None
    replay: Replaying | None
    gateway: GatewayControl | None
    log: ActionLog
    record_of: Callable[[str], Actions]
    """The record of what the operator of that name does."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """Opens what the services need, and closes it when the last request is over."""


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """How the console behaves. `operators` are keys by the names of who holds them; `url` is where browsers find it,
    if that is not where it listens."""

    operators: Mapping[str, str]
    url: str = ""
    shutdown_grace_s: float = 15.0
