"""Servers that these tests alone may kill, and the house over them."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from app.main import migrations
from app.main.local import rabbitmq
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from tests.conftest import NO_RABBITMQ, PASSWORD, TEMPLATE
from tests.crash.broker import Broker
from tests.crash.fragile import Fragile, open_house

PATIENT = {
    "REQUEST_TIMEOUT_S": "12",
    "RECOVER_AFTER_S": "12.5",
    "GATEWAY_TIMEOUT_S": "6",
    "GATEWAY_ATTEMPTS": "1",
}


def urls(server: PostgresServer, name: str) -> Urls:
    """A database of the server, as its owner and the services see it."""
    return Urls(server.url(name, OWNER, PASSWORD), server.url(name, LOGIN, PASSWORD))


def prepare(server: PostgresServer) -> None:
    """Make the roles, and the template that databases are copied from."""
    make_roles(server.url(), PASSWORD, PASSWORD)
    make_database(server.url(), TEMPLATE)
    migrations.up(urls(server, TEMPLATE).owner_url, urls(server, TEMPLATE).owner_url)


@pytest.fixture(scope="package")
def mortal_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that may be killed."""
    server = PostgresServer(tmp_path_factory.mktemp("mortal-postgres"), settings=("max_connections=200",))
    server.start()
    try:
        prepare(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def mortal_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A node that may be killed."""
    if not rabbitmq.installed():
        pytest.fail(NO_RABBITMQ)
    node = RabbitMQNode(tmp_path_factory.mktemp("mortal-rabbitmq"))
    node.start()
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="package")
def make_mortal_database(mortal_postgres: PostgresServer) -> Callable[[], Urls]:
    """A function that makes a migrated database on the server that may be killed."""
    numbers = itertools.count(1)

    def make() -> Urls:
        name = f"mortal_{next(numbers)}"
        make_database(mortal_postgres.url(), name, TEMPLATE)
        return urls(mortal_postgres, name)

    return make


@pytest.fixture(scope="package")
def home(
    mortal_postgres: PostgresServer,
    mortal_rabbitmq: RabbitMQNode,
    make_mortal_database: Callable[[], Urls],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fragile]:
    """The house that all tests share."""
    broker = Broker(mortal_rabbitmq)
    broker.begin_anew()
    folder = tmp_path_factory.mktemp("fragile")
    with open_house(Fragile(mortal_postgres, make_mortal_database(), broker, folder)) as house:
        yield house


@pytest.fixture
def house(home: Fragile) -> Fragile:
    """The house, whole again whatever the test before did to it."""
    home.mend()
    return home


@pytest.fixture
def patient(house: Fragile) -> Fragile:
    """The house with requests that have much time: an API that wakes up is still at work on its own."""
    house.stop("api")
    house.begin("api", **PATIENT)
    return house
