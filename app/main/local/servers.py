"""Database, broker and Redis of a run: what the settings give, and what is started privately for the rest."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from app.main.local import rabbitmq
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.redis import RedisServer, find
from app.main.local.roles import LOGIN, OWNER, make_database, make_roles
from app.platform.process.processes import CannotStart
from app.platform.process.secret_files import secret, write_privately
from app.platform.process.settings import Settings

DATABASE = "strongbox"
NO_BROKER = (
    "No RabbitMQ is installed: a broker inside the relay's process brings the events to the consumers.\n"
    "  It has no queues: no dead letters, no replays, no consumers of your own."
)
NO_REDIS = "No Redis or Valkey is installed: each process of the API counts its limits by itself, and caches nothing."
REDIS_FAILED = "{error}\n  Without it: each process of the API counts its limits by itself, and caches nothing."
Server = PostgresServer | RabbitMQNode | RedisServer


async def to_the_end(function: Callable[[], None]) -> None:
    """Run it in a thread. A cancellation waits for its end, so that nothing it started goes unknown."""
    task = asyncio.create_task(asyncio.to_thread(function))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Servers:
    """Starts what is not given, looks after it, and knows the settings by which it is reached."""

    def __init__(self, base: Path, settings: Settings, say: Callable[[str], None]) -> None:
        self._base, self._settings, self._say = base, settings, say
        self.postgres = PostgresServer(base / "postgres")
        self.rabbitmq = RabbitMQNode(base / "rabbitmq")
        self.redis = RedisServer(base / "redis")
        self.passwords = base / "pgpass"
        self._kept: list[Server] = []

    @property
    def in_process(self) -> bool:
        """Whether there is no broker but the one inside a process."""
        return not self._settings.rabbitmq_url and self.rabbitmq not in self._kept

    @property
    def private_database(self) -> bool:
        return not self._settings.database_url

    async def start(self, stack: AsyncExitStack) -> dict[str, str]:
        """Start what is missing, to be stopped by the stack; what it is reached by, as settings.

        Raises:
            CannotStart: a server is not to be had.
        """
        # At the same time, as both mostly wait; one that fails does not leave the other half started.
        found = await asyncio.gather(
            self._start_database(stack), self._start_broker(stack), self.start_redis(stack), return_exceptions=True
        )
        reached: dict[str, str] = {}
        for one in found:
            if isinstance(one, BaseException):
                raise one
            reached |= one
        return reached

    async def _start_database(self, stack: AsyncExitStack) -> dict[str, str]:
        if not self.private_database:
            await to_the_end(self._end_unused_postgres)
            self._say("PostgreSQL as DATABASE_URL says")
            return {}
        await self._keep(self.postgres, stack)
        reached = await asyncio.to_thread(self._prepare_database)
        self._say(f"PostgreSQL {self.postgres.version} on 127.0.0.1:{self.postgres.port} ({self.postgres.binaries})")
        return reached

    async def _start_broker(self, stack: AsyncExitStack) -> dict[str, str]:
        if self._settings.rabbitmq_url:
            await to_the_end(self.rabbitmq.stop)  # one that a killed run left behind
            self._say("RabbitMQ as RABBITMQ_URL says")
            return {}
        if not rabbitmq.installed():
            self._say(NO_BROKER)
            return {}
        await self._keep(self.rabbitmq, stack)
        self._say(f"RabbitMQ on 127.0.0.1:{self.rabbitmq.port}")
        return {"RABBITMQ_URL": self.rabbitmq.url}

    async def start_redis(self, stack: AsyncExitStack) -> dict[str, str]:
        """Start one that limits are shared by; a run can do without it."""
        await to_the_end(self.redis.stop)  # one that a killed run left behind
        if self._settings.redis_url:
            self._say("Redis as REDIS_URL says")
            return {}
        if not (program := await asyncio.to_thread(find)):
            self._say(NO_REDIS)
            return {}
        self.redis.program = program
        try:
            await self._keep(self.redis, stack)
        except CannotStart as error:
            self._kept.remove(self.redis)
            self._say(REDIS_FAILED.format(error=error))
            return {}
        self._say(f"{program.name} {program.version} on 127.0.0.1:{self.redis.port}")
        return {"REDIS_URL": self.redis.url}

    async def look_after(self) -> None:
        """Start a server again that has died.

        Raises:
            CannotStart: it does not come back where it was.
        """
        for server in self._kept:
            if server.alive:
                continue
            name, port = _name(server), server.port
            self._say(f"{name} has died; it is started again (its log: {server.log})")
            await to_the_end(server.start)
            if server.port != port:
                raise CannotStart(f"{name}'s port {port} was taken by another program meanwhile: start the run again")

    def kill(self) -> None:
        """End them at once."""
        for server in self._kept:
            server.kill()

    async def _keep(self, server: Server, stack: AsyncExitStack) -> None:
        first = "" if server.folder.exists() else ", and making its files, this first time"
        self._say(f"Starting {_name(server)}{first} …")
        stack.push_async_callback(asyncio.to_thread, server.stop)
        self._kept.append(server)
        await to_the_end(server.start)

    def _prepare_database(self) -> dict[str, str]:
        passwords = {role: secret(self._base / "postgres" / f"{role}.password") for role in (OWNER, LOGIN)}
        make_roles(self.postgres.url(), passwords[OWNER], passwords[LOGIN])
        make_database(self.postgres.url(), DATABASE)
        write_privately(self.passwords, f"127.0.0.1:*:*:{LOGIN}:{passwords[LOGIN]}\n")
        return {
            "DATABASE_URL": self.postgres.url(DATABASE, LOGIN, passwords[LOGIN]),
            "MIGRATE_DATABASE_URL": self.postgres.url(DATABASE, OWNER, passwords[OWNER]),
        }

    def _end_unused_postgres(self) -> None:
        if self.postgres.find_running():
            self.postgres.stop()


def _name(server: Server) -> str:
    if isinstance(server, RedisServer):
        return server.program.name if server.program else "Redis"
    return "PostgreSQL" if isinstance(server, PostgresServer) else "RabbitMQ"
