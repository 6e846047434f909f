"""What stands behind the record: one of each that a context may bring."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from dependency_injector import containers, providers
from litestar import Request as PageRequest
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from prometheus_client import Gauge

from app.kernel.topology import Queue
from app.platform.console.desk import Desk
from app.platform.console.visit import visit_of
from app.platform.context import Hearing, Http, Recovery, Show, Work
from app.platform.http.json_body import JsonBody, Rule
from app.platform.http.operations import API_KEY, Operation, Request, Success
from app.platform.http.replies import Reply
from app.platform.messaging.inbox import Connection, Inbox, Once
from app.platform.messaging.inbox_database import Database as Inbound
from app.platform.messaging.received_events import Event
from app.platform.metrics.gauges import Look
from app.platform.postgres.database import Database
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter
from app.platform.postgres.pipeline import run
from app.platform.postgres.pool import Pool
from app.platform.process.rounds import Rounds
from app.platform.process.wiring import Platform

THANKS = Queue("thanks.queue", "thanks.dlq", ("payment.created",), yields=True)


class Greetings:
    """Greetings in the database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._outbox = OutboxWriter("greetings")

    async def greet(self, whom: str) -> UUID:
        """Greet somebody, and tell it."""
        greeting, at = uuid4(), "clock_timestamp()"
        async with self._pool.connection() as connection, connection.transaction():
            rows = await connection.execute(
                f"INSERT INTO greetings.greetings (id, whom) VALUES (%s, %s) RETURNING {at}", (greeting, whom)
            )
            ((now,),) = await rows.fetchall()
            told = NewEvent(greeting, uuid4(), greeting, 1, "greeting.made", f'{{"whom": "{whom}"}}', now)
            await run(connection, [self._outbox.insert([told])])
        return greeting

    async def answer(self) -> None:
        """Have all answered who have not."""
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE greetings.greetings SET answered = now() WHERE answered IS NULL")

    async def hear(self) -> None:
        """Have all heard that nobody has heard."""
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE greetings.greetings SET heard = now() WHERE heard IS NULL")

    async def count(self) -> int:
        """How many were made."""
        async with self._pool.connection() as connection:
            ((count,),) = await (await connection.execute("SELECT count(*) FROM greetings.greetings")).fetchall()
        return int(count)


class Container(containers.DeclarativeContainer):
    """Everything there is one of in a process."""

    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    greetings = providers.Singleton(Greetings, database.provided.upkeep_pool)


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> Container:
    """The container."""
    return Container(platform=platform, database=database)


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is greeted."""

    whom: Annotated[str, Rule("must be a name")]


BODY = JsonBody(Body, {"whom": "Ada"}, "a greeting")


def operations(container: Container, _: Http) -> Sequence[Operation]:
    """`POST /greetings`."""

    greetings = container.greetings()

    async def create(request: Request) -> Reply:
        greeting = await greetings.greet(request[BODY].whom)
        return Reply(201, msgspec.json.encode({"greeting_id": greeting}))

    made = Success(status=201, description="It is made.", type=dict, example={"greeting_id": str(UUID(int=1))})
    return [
        Operation(
            method="POST",
            template="/greetings",
            name="createGreeting",
            tag="greetings",
            summary="Greet somebody",
            who=API_KEY,
            handler=create,
            body=BODY,
            successes=(made,),
        )
    ]


@asynccontextmanager
async def serving(container: Container) -> AsyncIterator[Sequence[Look]]:
    """What its gauge shows."""
    gauge = Gauge("strongbox_greetings", "Greetings.", registry=container.platform.registry())

    async def look() -> None:
        gauge.set(await container.greetings().count())

    yield [look]


def answering(container: Container, show: Show) -> Work:
    """The worker that has everybody answer."""
    greetings = container.greetings()

    async def work(stop: asyncio.Event) -> None:
        async with show(()):
            await now_and_then(greetings.answer, stop)

    return work


def thanking(container: Container, in_process: bool) -> Hearing:
    """The consumer that greets everybody who pays."""
    inbox, counted = Inbox("greetings.inbox"), Gauge("strongbox_thanked", "So.", registry=container.platform.registry())
    database = Inbound(container.database().url, "strongbox-thanks")

    async def greet(connection: Connection, events: Sequence[Event]) -> None:
        whom = "payer, inside" if in_process else "payer"
        rows = [(event.id, whom) for event in events]
        await connection.cursor().executemany("INSERT INTO greetings.greetings (id, whom) VALUES (%s, %s)", rows)

    @asynccontextmanager
    async def around() -> AsyncIterator[Sequence[Look]]:
        async def look() -> None:
            counted.set(await container.greetings().count())

        yield [look]
        await database.close()

    works = (partial(now_and_then, container.greetings().hear),)
    return Hearing(handle=Once(database, THANKS, inbox, greet), inbox=inbox, around=around(), works=works)


def recovery(container: Container) -> Recovery:
    """Its part of `strongbox recover`: greetings that nobody has heard are heard."""
    return Recovery(serving(container), (partial(now_and_then, container.greetings().hear),))


async def now_and_then(do: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    rounds = Rounds("greetings")
    while not stop.is_set():
        with rounds.survived():  # a busy database gives nobody a connection in time
            await do()
        await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=0.2)


def page(container: Container, desk: Desk) -> Sequence[HTTPRouteHandler]:
    """How many were greeted."""

    greetings = container.greetings()

    @get("/greetings")
    async def show(request: PageRequest[Any, Any, Any]) -> ASGIApp:
        greeted = await greetings.count()
        return desk.pages.page("greetings.html", visit_of(request), greeted=greeted)

    return [show]
