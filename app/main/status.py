"""`strongbox status`: every part of the service, and who looks at it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from app.main import contexts, databases
from app.main.outboxes import publications, queues
from app.platform.cache.part import cache
from app.platform.limits.part import redis
from app.platform.operations import parts as platform
from app.platform.operations.health import WITHIN_S, Health, Part, look_at
from app.platform.process.settings import Settings

FIRST_OUTBOX: Final = "payments"
"""The one that had no name, when it was the only one."""


async def status(settings: Settings, api_urls: Sequence[str], in_process: bool) -> Mapping[str, Health]:
    """The health of every part."""
    return await look_at([*_parts(settings, api_urls, in_process)], WITHIN_S)


def parts(settings: Settings) -> Iterator[Part]:
    """The parts that contexts bring."""
    for context in contexts.of(settings):
        if context.parts:
            yield from context.parts(settings, settings.home(context.name).url)


def _parts(settings: Settings, api_urls: Sequence[str], in_process: bool) -> Iterator[Part]:
    yield from platform.apis(api_urls)
    for url, name in _databases(settings).items():
        yield platform.database(f"{name} database".strip(), url, partial(databases.expected, settings, url))
    fed = queues(settings)
    workers = {one.queue.name for each in contexts.of(settings) for one in each.consumers if one.is_worker}
    yield platform.broker(settings.rabbitmq_url, fed, in_process, workers)
    if settings.redis_url:
        yield redis(settings.redis_url)
        yield cache(settings.redis_url)
    yield from parts(settings)
    for url, publication in publications(settings):
        name = "outbox" if publication.schema == FIRST_OUTBOX else f"{publication.schema} outbox"
        yield platform.outbox(name, url, publication.schema)
    yield platform.consumers(publications(settings), settings.consumers_url)
    yield platform.dead_letters(settings.rabbitmq_url, fed, in_process)


def _databases(settings: Settings) -> Mapping[str, str]:
    """The databases by their URLs, and whose each is, where not everybody's."""
    own = {home.url: context for context, home in settings.homes.items()}
    return {settings.consumers_url: "audit"} | own | {settings.database_url: ""}
