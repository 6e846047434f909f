"""`strongbox status`: every part of the service, and who looks at it."""

from collections.abc import Mapping, Sequence
from functools import partial

import httpx

from app.adapters.looking import ask
from app.adapters.postgres.figures import PostgresFigures
from app.adapters.rabbitmq import topology
from app.adapters.rabbitmq.connection import split
from app.adapters.rabbitmq.queues import depths, unconfigurable
from app.application.ports import Unavailable
from app.application.status import judge
from app.application.status.health import Health, Part, State, look_at
from app.main import migrations
from app.main.settings import Settings

WITHIN_S = 2.0
"""How long a part may take to answer. All are asked at once."""
_MARGIN_S = 0.2


async def status(settings: Settings, api_urls: Sequence[str], in_process: bool) -> Mapping[str, Health]:
    """The health of every part."""
    return await look_at(_parts(settings, api_urls, in_process), WITHIN_S)


def _parts(settings: Settings, api_urls: Sequence[str], in_process: bool) -> list[Part]:
    figures = PostgresFigures(settings.database_url, settings.consumers_url, WITHIN_S - _MARGIN_S)
    several = len(api_urls) > 1
    parts = [
        Part(
            f"api {url}" if several else "api",
            partial(_api, url),
            "start `strongbox api`, or say where it is: --api URL",
        )
        for url in api_urls
    ]
    see_to_postgres = "see to PostgreSQL; services come back by themselves"
    parts.append(Part("database", partial(_database, figures, settings), see_to_postgres))
    if settings.audit_database_url:
        audit = PostgresFigures(settings.consumers_url, settings.consumers_url, WITHIN_S - _MARGIN_S)
        parts.append(Part("audit database", partial(_audit_database, audit, settings), see_to_postgres))
    see_to_rabbitmq = "see to RabbitMQ; events wait in the outbox"
    parts += [
        Part("broker", partial(_broker, settings, in_process), see_to_rabbitmq),
        Part("gateway", partial(_gateway, settings), "see to the gateway; payments stay PENDING until it answers"),
        Part("outbox", partial(_outbox, figures), see_to_postgres),
        Part("recovery", partial(_recovery, figures, settings), see_to_postgres),
        Part("consumers", partial(_consumers, figures), see_to_postgres),
        Part("dead letters", partial(_dead_letters, settings, in_process), see_to_rabbitmq),
    ]
    return parts


async def _api(url: str) -> Health:
    answer = await _get(f"{url.rstrip('/')}/readyz")
    if answer.is_success:
        return Health(State.OK, f"{url} is ready")
    try:
        details = answer.json()["error"]["details"]
        why = ", ".join(f"{name}: {reason}" for name, reason in details.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        why = f"status {answer.status_code}"
    return Health(State.DOWN, f"{url} is not ready: {why}", "see `readyz` in the operator's manual")


async def _gateway(settings: Settings) -> Health:
    if not settings.gateway_url:
        return _unset("GATEWAY_URL")
    answer = await _get(f"{settings.gateway_url.rstrip('/')}/health")
    if answer.is_success:
        return Health(State.OK, "answers")
    if answer.status_code in (404, 405):
        return Health(State.OK, "answers; it serves no health")
    hint = "see to the gateway; payments stay PENDING until it answers"
    return Health(State.DEGRADED, f"its health is {answer.status_code}", hint)


async def _database(figures: PostgresFigures, settings: Settings) -> Health:
    service, _ = migrations.expected(settings.database_url, settings.consumers_url)
    return judge.database(await figures.database(service))


async def _audit_database(figures: PostgresFigures, settings: Settings) -> Health:
    _, consumers = migrations.expected(settings.database_url, settings.consumers_url)
    return judge.database(await figures.database(consumers))


async def _outbox(figures: PostgresFigures) -> Health:
    return judge.outbox(await figures.outbox())


async def _recovery(figures: PostgresFigures, settings: Settings) -> Health:
    return judge.recovery(await figures.pending(settings.recover_after_s), settings.recover_after_s)


async def _consumers(figures: PostgresFigures) -> Health:
    return judge.consumers(await figures.consumers())


async def _broker(settings: Settings, in_process: bool) -> Health:
    if not settings.rabbitmq_url:
        return Health(State.OK, "inside the relay of this folder's run") if in_process else _unset("RABBITMQ_URL")
    brokers = split(settings.rabbitmq_url)
    found = await depths(brokers, [queue.name for queue in topology.QUEUES])
    missing = [name for name, figures in found.items() if figures is None]
    return judge.broker(found, await unconfigurable(brokers, missing) if missing else ())


async def _dead_letters(settings: Settings, in_process: bool) -> Health:
    if not settings.rabbitmq_url:
        return Health(State.OK, "no queues: the broker is in a process") if in_process else _unset("RABBITMQ_URL")
    found = await depths(split(settings.rabbitmq_url), [queue.dead_letters for queue in topology.QUEUES])
    return judge.dead_letters({name: deep.messages if deep else 0 for name, deep in found.items()})


async def _get(url: str) -> httpx.Response:
    try:
        return await ask("GET", url, WITHIN_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{httpx.URL(url).host} does not answer ({type(error).__name__})") from error


def _unset(name: str) -> Health:
    return Health(State.DEGRADED, "not looked at", f"{name} is not set")
