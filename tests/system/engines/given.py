"""A PostgreSQL, or what speaks its language, by its URL alone."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final

import psycopg
from psycopg import sql

from app.main import databases
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from tests.servers import PASSWORD
from tests.system.engines.engine import Engine, Place, for_whom
from tests.system.engines.house import Twice

URL: Final = "ENGINE_URL"
"""The setting that gives it: of a login that may make roles and databases, on a server that nobody needs."""


class Given(Engine):
    """What dies are all sessions at once, and with them an API: the server itself is somebody else's.

    On it the roles of the house get a password that everybody knows; the database goes at the end.
    """

    name = "given"
    what = f"A PostgreSQL that `{URL}` gives"
    needs: ClassVar = {f"postgresql, and give its URL as {URL}": lambda: os.environ.get(URL)}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._url = os.environ[URL]
        self._database = f"strongbox_engine_{os.getpid()}"

    def start(self) -> Place:
        """See `Engine.start`."""
        self.servers.rabbitmq.start()
        self.servers.redis.start()
        make_roles(self._url, PASSWORD, PASSWORD)
        make_database(self._url, self._database)
        urls = Urls(*(for_whom(self._url, role, PASSWORD, self._database) for role in (OWNER, LOGIN)))
        migrations.up(databases.at(urls.owner_url))
        return Place(urls, self.servers.rabbitmq.url, self.servers.redis.url)

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {"all sessions are ended, and one API is killed": lambda: self._kill(house)}

    def stop(self) -> None:
        """See `Engine.stop`."""
        self.servers.stop()
        with psycopg.connect(self._url, autocommit=True) as session:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            session.execute(drop.format(sql.Identifier(self._database)))

    def _kill(self, house: Twice) -> None:
        house.processes["api"].send_signal(signal.SIGKILL)
        with psycopg.connect(self._url, autocommit=True) as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._database,)
            )
        house.kill("api")
        house.begin("api")
