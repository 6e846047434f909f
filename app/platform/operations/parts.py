"""The parts of the service that are there whatever contexts there are: APIs, databases, broker, outbox, consumers."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import httpx

from app.kernel.errors import Unavailable
from app.kernel.topology import Publication, Queue
from app.platform.http.client import ask
from app.platform.operations import judgement as judge
from app.platform.operations.health import LOOK_S, WITHIN_S, Health, Part, State, unset
from app.platform.postgres.figures import PostgresFigures
from app.platform.postgres.schema import Expected
from app.platform.rabbitmq.connection import split
from app.platform.rabbitmq.queues import depths, unconfigurable

SEE_TO_POSTGRES = "see to PostgreSQL; services come back by themselves"
_SEE_TO_RABBITMQ = "see to RabbitMQ; events wait in the outbox"


def apis(urls: Sequence[str]) -> Sequence[Part]:
    """The APIs, by their URLs where there are several."""
    hint = "start `strongbox api`, or say where it is: --api URL"
    return [Part(f"api {url}" if len(urls) > 1 else "api", partial(_api, url), hint) for url in urls]


def database(name: str, url: str, expected: Callable[[], Expected]) -> Part:
    """A database, and what is expected to be in it."""

    async def look() -> Health:
        return judge.database(await PostgresFigures(url, url, LOOK_S).database(expected()))

    return Part(name, look, SEE_TO_POSTGRES)


def broker(rabbitmq_url: str, queues: Sequence[Queue], in_process: bool, workers: Collection[str] = ()) -> Part:
    """The broker; `in_process` where it is inside the relay of this folder's run. From the queues of `workers` one of
    `strongbox` takes, from others a consumer."""
    return Part("broker", partial(_broker, rabbitmq_url, queues, in_process, workers), _SEE_TO_RABBITMQ)


def outbox(name: str, url: str, schema: str) -> Part:
    """An outbox, by its database and its schema."""

    async def look() -> Health:
        return judge.outbox(await PostgresFigures(url, "", LOOK_S).outbox(schema))

    return Part(name, look, SEE_TO_POSTGRES)


def consumers(outboxes: Sequence[tuple[str, Publication]], consumers_url: str) -> Part:
    """What consumers lack of what was sent, from which outboxes."""

    async def look() -> Health:
        return judge.consumers(await PostgresFigures("", consumers_url, LOOK_S).consumers(outboxes))

    return Part("consumers", look, SEE_TO_POSTGRES)


def dead_letters(rabbitmq_url: str, queues: Sequence[Queue], in_process: bool) -> Part:
    """What consumers could not handle."""
    return Part("dead letters", partial(_dead_letters, rabbitmq_url, queues, in_process), _SEE_TO_RABBITMQ)


async def answer_of(url: str) -> httpx.Response:
    """The answer of a part that is asked by HTTP.

    Raises:
        Unavailable: there is none in time.
    """
    try:
        return await ask("GET", url, WITHIN_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{httpx.URL(url).host} does not answer ({type(error).__name__})") from error


async def _api(url: str) -> Health:
    answer = await answer_of(f"{url.rstrip('/')}/readyz")
    if answer.is_success:
        return Health(State.OK, f"{url} is ready")
    try:
        details = answer.json()["error"]["details"]
        why = ", ".join(f"{name}: {reason}" for name, reason in details.items())
    except (ValueError, KeyError, TypeError, AttributeError):
        why = f"status {answer.status_code}"
    return Health(State.DOWN, f"{url} is not ready: {why}", "see `readyz` in the operator's manual")


async def _broker(url: str, queues: Sequence[Queue], in_process: bool, workers: Collection[str]) -> Health:
    if not url:
        return Health(State.OK, "inside the relay of this folder's run") if in_process else unset("RABBITMQ_URL")
    brokers = split(url)
    found = await depths(brokers, [queue.name for queue in queues])
    missing = [name for name, figures in found.items() if figures is None]
    return judge.broker(found, await unconfigurable(brokers, missing) if missing else (), workers)


async def _dead_letters(url: str, queues: Sequence[Queue], in_process: bool) -> Health:
    if not url:
        return Health(State.OK, "no queues: the broker is in a process") if in_process else unset("RABBITMQ_URL")
    found = await depths(split(url), [queue.dead_letters for queue in queues])
    return judge.dead_letters({name: deep.messages if deep else 0 for name, deep in found.items()})
