"""Servers that these tests alone may kill, and the house over them."""

from collections.abc import Iterator

import pytest
from eth_account import Account

from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from tests.chain.nodes import KINDS, new_key, node
from tests.conftest import MakeDatabase, private_node
from tests.system.crash.broker import Broker
from tests.system.crash.fragile import Fragile, open_house
from tests.system.crash.generous import BLOCK_S, Generous, opened

PATIENT = {
    "REQUEST_TIMEOUT_S": "30",
    "RECOVER_AFTER_S": "30.5",
    "GATEWAY_TIMEOUT_S": "6",
    "GATEWAY_ATTEMPTS": "1",
}


@pytest.fixture(scope="package")
def mortal_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQNode]:
    """A node that may be killed."""
    with private_node(tmp_path_factory.mktemp("mortal-rabbitmq")) as node:
        yield node


@pytest.fixture(scope="package")
def home(
    mortal_postgres: PostgresServer,
    mortal_rabbitmq: RabbitMQNode,
    make_mortal_database: MakeDatabase,
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
def patient(house: Fragile) -> Iterator[Fragile]:
    """The house with requests that have much time, for this one test: an API that wakes up is still at work on its own.

    With so much time it finds out by itself what, in the usual time, nobody knows.
    """
    house.stop("api")
    house.begin("api", **PATIENT)
    yield house
    if "api" in house.processes:
        house.kill("api")  # whose one attempt at the gateway is not enough for whoever comes next


@pytest.fixture(scope="module", params=[KINDS[0], pytest.param(KINDS[1], marks=pytest.mark.long)])
def giving(
    request: pytest.FixtureRequest,
    mortal_postgres: PostgresServer,
    mortal_rabbitmq: RabbitMQNode,
    make_mortal_database: MakeDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Generous]:
    """The house that gives cashback, which a module's tests share, on each EVM."""
    broker, folder, key = Broker(mortal_rabbitmq), tmp_path_factory.mktemp("generous"), new_key()
    funded = str(Account.from_key(key).address)
    with node(request.param, folder / "node", BLOCK_S, funded) as chain:
        house = Generous(mortal_postgres, make_mortal_database, broker, chain, key, folder)
        with opened(house):
            yield house


@pytest.fixture
def generous(giving: Generous) -> Generous:
    """The house that gives cashback, whole again whatever the test before did to it."""
    giving.mend()
    return giving
