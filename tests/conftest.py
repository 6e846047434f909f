"""Real servers for the tests: a private PostgreSQL and a private RabbitMQ, each started once, when asked for."""

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from app.main.local import rabbitmq
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles

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

PASSWORD = "only-for-tests"
TEMPLATE = "strongbox_template"
DOCKER_IMAGE = "rabbitmq:4.3"

MOST_WORKERS = 4
LONG_FIRST = {name: place for place, name in enumerate(("crash", "e2e", "soak", "browser", "integration"))}

MakeDatabase = Callable[[], Urls]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A file for each core at a time and one more, as they wait for others half of their time, each with servers of its
    own; one, where they would share the broker given."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if os.environ.get("RABBITMQ_URL") else min(cores + 1, MOST_WORKERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: the short ones fill what is left at the end, and no core waits for another's last file."""
    items.sort(key=lambda item: LONG_FIRST.get(item.path.parent.name, len(LONG_FIRST)))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A private server, ended with the session."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), settings=("max_connections=200",))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The superuser's URL of a private server."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def make_fresh_database(postgres_url: str) -> MakeDatabase:
    """A function that makes a migrated database: a copy of one that the real migrations made."""
    from app.main import migrations

    def as_user(user: str, database: str) -> str:
        host_and_port = postgres_url.rpartition("@")[2].partition("/")[0]
        return f"postgresql://{user}:{PASSWORD}@{host_and_port}/{database}"

    make_roles(postgres_url, PASSWORD, PASSWORD)
    make_database(postgres_url, TEMPLATE)
    migrations.up(as_user(OWNER, TEMPLATE), as_user(OWNER, TEMPLATE))
    numbers = itertools.count(1)

    def make() -> Urls:
        name = f"test_{next(numbers)}"
        make_database(postgres_url, name, TEMPLATE)
        return Urls(owner_url=as_user(OWNER, name), app_url=as_user(LOGIN, name))

    return make


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
    """A private node, ended with the session, for tests that stop or kill it."""
    if not rabbitmq.installed():
        pytest.fail(NO_RABBITMQ)
    node = RabbitMQNode(tmp_path_factory.mktemp("rabbitmq"))
    node.start()
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def rabbitmq_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where RabbitMQ serves: RABBITMQ_URL when it is given, else a private node, else one in Docker."""
    if given := os.environ.get("RABBITMQ_URL"):
        yield given
    elif rabbitmq.installed():
        yield request.getfixturevalue("rabbitmq_node").url
    elif _docker_works():
        yield from _in_docker()
    else:
        pytest.fail(NO_RABBITMQ)


NO_RABBITMQ = (
    "these tests need RabbitMQ: install it (Debian: apt-get install rabbitmq-server), "
    "give the URL of one as RABBITMQ_URL, or start Docker"
)


def _docker_works() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def _in_docker() -> Iterator[str]:
    start = ["docker", "run", "--detach", "--rm", "--publish", "127.0.0.1::5672", DOCKER_IMAGE]
    container = subprocess.run(start, capture_output=True, text=True, check=True).stdout.strip()
    try:
        port = subprocess.run(["docker", "port", container, "5672"], capture_output=True, text=True, check=True)
        _wait_for_docker(container)
        yield f"amqp://guest:guest@{port.stdout.split()[0]}/"
    finally:
        subprocess.run(["docker", "stop", container], capture_output=True, check=False)


def _wait_for_docker(container: str) -> None:
    deadline = time.monotonic() + 90
    check = ["docker", "exec", container, "rabbitmq-diagnostics", "-q", "check_port_connectivity"]
    while subprocess.run(check, capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < deadline, "RabbitMQ in Docker was not ready within 90 s"
        time.sleep(1)
