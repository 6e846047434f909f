"""`strongbox console`: what stands behind its pages."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

import httpx
import structlog

from app.adapters.console.asgi import Console
from app.adapters.console.services import Breaker, ConsoleOptions, ConsoleServices, Progress
from app.adapters.gateway.control import MockGatewayControl
from app.adapters.http.server import serve
from app.adapters.looking import ask
from app.adapters.postgres.actions import PostgresActionLog, PostgresActions
from app.adapters.postgres.pulse import PostgresPulse
from app.adapters.postgres.standings import PostgresStandings
from app.adapters.postgres.stories import PostgresRecords, PostgresTrail
from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.dead_letters import RabbitDeadLetters
from app.application.actions import Actions
from app.application.outbox.replay import Replayed
from app.application.payments.story import Story, tell
from app.main.container import Container
from app.main.replaying import Range, replay_range
from app.main.settings import Settings
from app.main.status import status

LOOK_S = 5.0
"""What a page may cost the database: no command of an operator's who waits before a terminal."""
SCRAPE_S = 2.0

_GAUGE = re.compile(r"^strongbox_gateway_(breaker_state|slots_in_use)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_STATES = {0: "closed", 1: "half-open", 2: "open"}

_log = structlog.get_logger(__name__)


def console(settings: Settings, api_urls: Sequence[str], in_process: bool, listener: socket.socket) -> None:
    """Serve the console on the socket until told to stop."""
    container = Container(settings=settings)
    pools = (container.reading_pool(), container.upkeep_pool())

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for pool in pools:
                await pool.open()
                stack.push_async_callback(pool.close)
            yield

    pulse = PostgresPulse(container.upkeep_pool())
    has_queues = bool(settings.rabbitmq_url)
    services = ConsoleServices(
        look=partial(status, settings, api_urls, in_process),
        breakers=partial(breakers, api_urls),
        pulse=pulse,
        recent=pulse,
        story=_story_of(settings),
        standings=PostgresStandings(settings.database_url, LOOK_S),
        reader=container.reader(),
        queues=[queue.name for queue in topology.QUEUES],
        letters=RabbitDeadLetters(split(settings.rabbitmq_url)) if has_queues else None,
        replay=partial(_replay, settings) if has_queues else None,
        gateway=MockGatewayControl(settings.gateway_url) if settings.gateway_url else None,
        log=PostgresActionLog(settings.consumers_url),
        record_of=partial(PostgresActions, settings.consumers_url),
        lifespan=lifespan,
    )
    options = ConsoleOptions(settings.operators, settings.console_url, settings.shutdown_grace_s)
    serve(
        Console(services, options),
        settings.console_host,
        settings.console_port,
        settings.shutdown_grace_s,
        sockets=[listener],
        on_started=lambda port: _log.info("serving", host=settings.console_host, port=port),
    )


def _story_of(settings: Settings) -> Callable[..., Awaitable[Story]]:
    return partial(
        tell,
        PostgresRecords(settings.database_url),
        PostgresTrail(settings.consumers_url),
        recover_after_s=settings.recover_after_s,
        key_ttl_h=settings.idempotency_ttl_h,
    )


async def _replay(
    settings: Settings, record: Actions, since: datetime, until: datetime, queue: str, dry_run: bool,
    progress: Progress, stop: asyncio.Event,
) -> Replayed:  # fmt: skip
    wanted = Range(since, until, queue)
    return await replay_range(settings, record, wanted, dry_run, lambda _, done, of: progress(done, of), stop)


async def breakers(api_urls: Sequence[str]) -> Sequence[Breaker]:
    """What each API says of its breaker and its bulkhead, in its metrics."""
    return await asyncio.gather(*map(_breaker, api_urls))


async def _breaker(url: str) -> Breaker:
    try:
        answer = await ask("GET", f"{url.rstrip('/')}/metrics", SCRAPE_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Breaker(url, None, None)
    told: Mapping[str, str] = dict(_GAUGE.findall(answer.text)) if answer.is_success else {}
    state, slots = told.get("breaker_state"), told.get("slots_in_use")
    return Breaker(url, _STATES.get(int(float(state))) if state else None, int(float(slots)) if slots else None)
