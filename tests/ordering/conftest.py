"""A shop over a database of the module's own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.kernel.principal import Role
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.ordering.shop import TENANT, Shop, shop_over


@pytest.fixture(scope="module", autouse=True)
def all_are_patient(patient_locks: None) -> None:
    """What is tested here is neither how soon a database counts as away nor how long a lock is waited for."""


@pytest.fixture(autouse=True)
async def processes_end(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Those that a test has begun end with it: each has a dozen connections."""
    yield
    if "market" in request.fixturenames:
        await request.getfixturevalue("market").test_ends()


@pytest.fixture(scope="module")
def shop(module_database: Urls, postgres_server: PostgresServer) -> Iterator[Shop]:
    """The shop, which the tests of a file share: each has people of its own."""
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    with shop_over(module_database, postgres_server.url(name)) as shop:
        yield shop


@pytest.fixture(scope="module")
def known_shop(shop: Shop) -> Shop:
    """The shop, whose people are of a tenant that operators know."""
    shop.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())",
        shop.people.tenant, TENANT,
    )  # fmt: skip
    return shop


@pytest.fixture(scope="module")
def bought(known_shop: Shop) -> dict[str, Any]:
    """An order that was just paid."""
    shop = known_shop
    buyer, seller = shop.user(), shop.user(role=Role.SELLER)
    shop.query(
        "INSERT INTO wallet_balances (user_id, currency, current_balance, version, updated_at)"
        " VALUES (%s, 'USD', 10000, 1, now())",
        buyer.id,
    )
    shop.put(buyer, shop.product(seller, title="a <lamp>"), 2)
    answer = shop.client.post(
        "/v1/orders", json={"expected_total": 2_500}, headers=buyer.bearer | {"Idempotency-Key": "a-secret-of-theirs"}
    )
    assert answer.status_code == 201, answer.text
    (order,) = answer.json()["orders"]
    assert isinstance(order, dict)
    return order
