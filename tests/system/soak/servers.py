"""The servers of the bank test, which are its own: it kills them."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import redis

from app.main import databases
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.redis import RedisServer
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from app.platform.process.processes import CannotStart, comes_true

PASSWORD: Final = "only-for-the-soak"
DATABASE: Final = "soak"
END_LIMIT_S: Final = 20.0


class Servers:
    """A private PostgreSQL, RabbitMQ and Redis. Its methods block; `stop` waits for whichever is under way."""

    def __init__(self, folder: Path) -> None:
        # What a process that is killed has written the system has, on the disk or not yet.
        self.postgres = PostgresServer(folder / "postgres", settings=("max_connections=200", "fsync=off"))
        self.rabbitmq = RabbitMQNode(folder / "rabbitmq")
        self.redis = RedisServer(folder / "redis")
        self._locks = {id(server): threading.Lock() for server in (self.postgres, self.rabbitmq, self.redis)}
        self._stopped = False

    def start(self) -> Urls:
        """Start all, and make a migrated database."""
        with self._locked(), ThreadPoolExecutor() as threads:
            broker = threads.submit(self.rabbitmq.start)
            self.redis.start()
            self.postgres.start()
            make_roles(self.postgres.url(), PASSWORD, PASSWORD)
            make_database(self.postgres.url(), DATABASE)
            owner, login = (self.postgres.url(DATABASE, role, PASSWORD) for role in (OWNER, LOGIN))
            migrations.up(databases.at(owner))
            broker.result()
            return Urls(owner_url=owner, app_url=login)

    def bounce(self, server: PostgresServer | RabbitMQNode | RedisServer, down_s: float) -> None:
        """End one of them at once, and start it again a while later, where it was."""
        with self._locks[id(server)]:
            port = server.port
            server.kill()
            comes_true(lambda: not server.alive, END_LIMIT_S)
            time.sleep(down_s)
            if self._stopped:
                return
            server.start()
        if server.port != port:
            raise CannotStart(f"port {port} was taken while its server was down")

    def freeze(self, for_s: float) -> None:
        """Have Redis answer nobody for so long."""
        with self._locks[id(self.redis)]:
            process = self.redis.process
            assert process is not None
            process.send(signal.SIGSTOP)
            time.sleep(for_s)
            process.send(signal.SIGCONT)

    def empty(self) -> None:
        """Have Redis forget all that it has."""
        with self._locks[id(self.redis)], redis.Redis.from_url(self.redis.url) as client:
            client.flushall()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Read from the database as a superuser, whom no wall between tenants holds."""
        with psycopg.connect(self.postgres.url(DATABASE), autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def stop(self) -> None:
        """End all."""
        self._stopped = True
        with self._locked():
            self.redis.stop()
            self.rabbitmq.stop()
            self.postgres.stop()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as stack:
            for lock in self._locks.values():
                stack.enter_context(lock)
            yield
