"""Real servers, each when asked for: a PostgreSQL and a RabbitMQ that all tests share, and some that may be killed."""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from httpx._transports import default
from hypothesis import HealthCheck, settings

from app.main.local import rabbitmq
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import Urls, make_database
from tests import forks, servers
from tests.patient import patient_locks, patient_pools
from tests.scheduling import Scheduling, cores, place
from tests.servers import TEMPLATE, VIRTUAL_HOSTS

__all__ = ["patient_locks", "patient_pools"]

# The same examples in every run, on however slow a machine: a failure here is a fault, never the weather.
settings.register_profile(
    "strongbox",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("strongbox")

# For each client httpx reads the authorities of the world, which takes 30 ms of a core: from here on once.
default.create_ssl_context = cache(default.create_ssl_context)  # type: ignore[attr-defined]
# What a test asks without a limit of its own is answered when a busy machine comes to it; the product has its own.
for phase in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, phase, 60.0)

RECURSION = sys.getrecursionlimit()
MOST_WORKERS = len(VIRTUAL_HOSTS)
SHARED = pytest.StashKey[Path]()

MakeDatabase = Callable[[], Urls]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Five files for two cores at a time, as they wait for others most of their time; one, where they would share the
    broker given."""
    return 1 if os.environ.get("RABBITMQ_URL") else min(5 * cores() // 2, MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, and last of all those that run apart.

    What they have imported by now may have raised the limit of recursion a hundredfold, as eth-account and py-evm do:
    to more than the stack of C takes, and than the product has.
    """
    sys.setrecursionlimit(RECURSION)
    items.sort(key=lambda item: place(item.path.as_posix()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Measure no coverage where the product runs in other processes, nor of what tries thousands of cases.

    It would double their time. pytest-cov's `no_cover` has no effect in a worker, where it measures twice.
    """
    tracer, path = sys.gettrace(), item.path.as_posix()
    if "/system/" in path or "any_interleaving" in path:
        sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """What a worker gets at a time, and when."""
    return Scheduling(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder for what all workers share, or take what the run tells a worker."""
    given = getattr(config, "workerinput", None)
    if given is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends the run ends what it has started, too
        config.stash[SHARED] = servers.make_folder()
        forks.home, forks.run_by = config.stash[SHARED], os.getpid()
    else:
        forks.home, forks.run_by = Path(given["shared"]), given["run_by"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where that is."""
    node.workerinput |= {"shared": str(node.config.stash[SHARED]), "run_by": os.getpid()}


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers, when all workers have ended. What a worker has started serves the others until then."""
    if folder := config.stash.get(SHARED, None):
        servers.end(folder)
    servers.leave()
    forks.leave()


@pytest.fixture(scope="session", autouse=True)
def logging_stays() -> Iterator[None]:
    """Commands that tests run inside their process set up no logging: all that comes behind them would go by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.platform.process.logging.configure", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this process among those that share the servers."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "gw0"))


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest) -> Path:
    """Where that is which all workers share."""
    given = getattr(request.config, "workerinput", None)
    return Path(given["shared"]) if given else request.config.stash[SHARED]


@pytest.fixture(scope="session")
def postgres_server(shared_folder: Path) -> PostgresServer:
    """The server that all share: nobody stops it, and what is done to all of its databases meets others' tests."""
    return servers.postgres(shared_folder)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The superuser's URL of the server that all share."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def make_fresh_database(postgres_server: PostgresServer, worker: str) -> MakeDatabase:
    """A function that makes a migrated database: a copy of one that the real migrations made."""
    return _maker(postgres_server, f"test_{worker}")


def _maker(server: PostgresServer, prefix: str) -> MakeDatabase:
    numbers = itertools.count(1)

    def make() -> Urls:
        name = f"{prefix}_{next(numbers)}"
        make_database(server.url(), name, TEMPLATE)
        return servers.urls(server, name)

    return make


@pytest.fixture(scope="session")
def mortal_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server of one's own, for tests that kill it: what it has written the system has, on the disk or not yet."""
    settings = ("max_connections=200", "fsync=off")
    server = PostgresServer(tmp_path_factory.mktemp("mortal-postgres"), settings=settings)
    server.start()
    try:
        servers.prepare(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def make_mortal_database(mortal_postgres: PostgresServer) -> MakeDatabase:
    """A function that makes a migrated database on the server that may be killed."""
    return _maker(mortal_postgres, "mortal")


@pytest.fixture
def database(make_fresh_database: MakeDatabase) -> Urls:
    """A migrated database of this test's own: `.owner_url` may do everything, `.app_url` what the services may."""
    return make_fresh_database()


@pytest.fixture(scope="module")
def module_database(make_fresh_database: MakeDatabase) -> Urls:
    """A migrated database that the tests of a module share."""
    return make_fresh_database()


@pytest.fixture(scope="session")
def rabbitmq_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A node of one's own, for tests that stop or kill it."""
    with private_node(tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@contextmanager
def private_node(folder: Path) -> Iterator[RabbitMQNode]:
    """A node in the folder, ended with the block."""
    if not rabbitmq.installed():
        pytest.fail(NO_RABBITMQ)
    node = RabbitMQNode(folder, servers.START_LIMIT_S)
    node.start()
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def rabbitmq_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where RabbitMQ serves: RABBITMQ_URL when given, else a virtual host of the shared node, else one in Docker."""
    if given := os.environ.get("RABBITMQ_URL"):
        yield given
    elif rabbitmq.installed():
        folder, name = (request.getfixturevalue(fixture) for fixture in ("shared_folder", "worker"))
        yield servers.rabbitmq_url(folder, name)
    elif servers.docker_works():
        yield from servers.in_docker()
    else:
        pytest.fail(NO_RABBITMQ)


NO_RABBITMQ = (
    "these tests need RabbitMQ: install it (Debian: apt-get install rabbitmq-server), "
    "give the URL of one as RABBITMQ_URL, or start Docker"
)
