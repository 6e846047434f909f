"""`strongbox console`: what stands behind its pages."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from app.main.cache_page import cache_page
from app.main.house import House
from app.main.outboxes import exchanges, queues, sources
from app.main.status import status
from app.platform.console.asgi import Console
from app.platform.console.page import Page
from app.platform.console.services import ConsoleOptions, ConsoleServices
from app.platform.http.server import serve
from app.platform.operations.replay_range import replay_range
from app.platform.postgres.actions import PostgresActionLog, PostgresActions
from app.platform.process.settings import Settings
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.dead_letters import RabbitDeadLetters

_log = structlog.get_logger(__name__)


def serve_console(settings: Settings, api_urls: Sequence[str], in_process: bool, listener: socket.socket) -> None:
    """Serve the console on the socket until told to stop."""
    house = House(settings)
    serve(
        Console(
            _services(house, api_urls, in_process),
            ConsoleOptions(settings.operators, settings.console_url, settings.shutdown_grace_s),
            pages(house, api_urls),
        ),
        settings.console_host,
        settings.console_port,
        settings.shutdown_grace_s,
        sockets=[listener],
        on_started=lambda port: _log.info("serving", host=settings.console_host, port=port),
    )


def pages(house: House, api_urls: Sequence[str]) -> Sequence[Page]:
    """The pages that contexts bring, and that of the cache, which all of them share."""
    brought = [
        page
        for context in house.contexts
        if context.pages
        for page in context.pages(house.container(context.name), api_urls)
    ]
    return [*brought, cache_page(house, api_urls)]


def _services(house: House, api_urls: Sequence[str], in_process: bool) -> ConsoleServices:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await house.open(stack)
            yield

    settings = house.settings
    brokers = split(settings.rabbitmq_url) if settings.rabbitmq_url else None
    return ConsoleServices(
        look=partial(status, settings, api_urls, in_process),
        queues=[queue.name for queue in queues(settings)],
        letters=RabbitDeadLetters(brokers, exchanges(settings)) if brokers else None,
        replay=partial(replay_range, sources(settings)) if brokers else None,
        log=PostgresActionLog(settings.consumers_url),
        record_of=partial(PostgresActions, settings.consumers_url),
        lifespan=lifespan,
        in_process=in_process,
    )
