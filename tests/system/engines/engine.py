"""What an engine is: servers that a house stands on, and what befalls them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from app.main.local.roles import Urls
from tests.system.engines.house import Twice
from tests.system.soak.servers import Servers

FROZEN_S: Final = 5.0
"""How long what is stopped in its tracks stays so, unless somebody takes its place before."""
DOWN_S: Final = 1.0
"""How long what is killed stays away, or goes unnoticed."""


class Place(NamedTuple):
    """Where the servers are."""

    database: Urls
    rabbitmq_url: str
    redis_url: str


class Engine:
    """One PostgreSQL, one RabbitMQ and one Redis, unless an engine has more. Its methods block."""

    name: ClassVar[str]
    """For `--only`."""
    what: ClassVar[str]
    """For people."""
    needs: ClassVar[Mapping[str, Callable[[], object]]] = {}
    """Debian's package, and what is true where it is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = Servers(folder)

    @classmethod
    def missing(cls) -> list[str]:
        """Debian's packages that would have to be installed."""
        return [package for package, is_here in cls.needs.items() if not is_here()]

    def start(self) -> Place:
        """Start the servers, with a migrated database."""
        urls = self.servers.start()
        return Place(urls, self.servers.rabbitmq.url, self.servers.redis.url)

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """What is done to it, by what is told of that. Each of them leaves everything as it was before."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the servers."""
        self.servers.stop()


def for_whom(url: str, user: str, password: str, database: str) -> str:
    """The URL of the same server, for a user and a database of his."""
    given = urlsplit(url)
    where = given.netloc.rpartition("@")[2]
    return urlunsplit(given._replace(netloc=f"{user}:{password}@{where}", path=f"/{database}"))


def at_hosts(url: str, ports: Sequence[int]) -> str:
    """The URL with several hosts, of which the one that can write is used."""
    given = urlsplit(url)
    who = given.netloc.rpartition("@")[0]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return urlunsplit(given._replace(netloc=f"{who}@{hosts}", query="target_session_attrs=read-write"))


def new_folder(path: Path) -> Path:
    """A folder that servers which run as somebody else can enter."""
    path.mkdir()
    path.chmod(0o755)
    return path
