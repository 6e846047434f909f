"""What the stock tells of its part in somebody's business."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.catalog.adapters.postgres.stock_stories import PostgresStockStories
from app.contexts.catalog.public import ProductId
from app.kernel.operation_id import OperationId
from app.kernel.principal import TenantId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls

TENANT = TenantId(uuid4())
LAMP, CHAIR = (ProductId(UUID(int=n)) for n in (1, 2))


@pytest.fixture(scope="module")
def superuser_url(module_database: Urls, postgres_server: PostgresServer) -> str:
    name = conninfo_to_dict(module_database.app_url)["dbname"]
    assert isinstance(name, str)
    return postgres_server.url(name)


def reservation(
    url: str, *lines: tuple[ProductId, int, str], forbidden: bool = False, refused: str | None = None
) -> OperationId:
    """A reservation with these lines."""
    operation = OperationId("market", uuid4(), "reserve")
    key = (operation.business_id.int & 15, TENANT, operation.context, operation.business_id, operation.name)
    with psycopg.connect(url) as superuser:
        superuser.execute(
            "INSERT INTO catalog.reservations (bucket, tenant_id, context, business_id, name, fingerprint, forbidden,"
            " refused, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())",
            (*key, None if forbidden else b"x", forbidden, refused),
        )
        for product_id, qty, status in lines:
            superuser.execute(
                "INSERT INTO catalog.reservation_lines (bucket, tenant_id, context, business_id, name, product_id, qty,"
                " status, seller_id, title, price, currency)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, gen_random_uuid(), 'a lamp', 1, 'USD')",
                (*key, product_id, qty, status),
            )
    return operation


async def told(
    urls: Urls, operation: OperationId, *products: ProductId, tenant: TenantId = TENANT
) -> Sequence[tuple[str, object]]:
    moments = await PostgresStockStories(urls.app_url).moments_of(tenant, operation, products)
    assert {moment.source for moment in moments} <= {"stock"}
    return [(moment.what, moment.details.get("product_id")) for moment in moments]


async def test_each_line_says_what_it_is_now(module_database: Urls, superuser_url: str) -> None:
    third = ProductId(UUID(int=3))
    operation = reservation(superuser_url, (LAMP, 2, "TAKEN"), (CHAIR, 1, "RETURNED"), (third, 4, "RESERVED"))
    assert await told(module_database, operation, LAMP, CHAIR, third) == [
        ("reserved 2, since sold", str(LAMP)),
        ("reserved 1, since given back", str(CHAIR)),
        ("reserved 4, still so", str(third)),
    ]


async def test_only_of_the_products_that_are_asked_for(module_database: Urls, superuser_url: str) -> None:
    operation = reservation(superuser_url, (LAMP, 2, "TAKEN"), (CHAIR, 1, "TAKEN"))
    assert await told(module_database, operation, CHAIR) == [("reserved 1, since sold", str(CHAIR))]


async def test_one_that_never_will_be_and_one_that_was_refused_say_so(
    module_database: Urls, superuser_url: str
) -> None:
    forbidden = reservation(superuser_url, forbidden=True)
    assert await told(module_database, forbidden, LAMP) == [("the reservation is forbidden for good", None)]
    refused = reservation(superuser_url, refused='{"x": 1}')
    assert await told(module_database, refused, LAMP) == [("refused: there was not enough", None)]


async def test_of_one_that_there_is_not_or_of_another_tenants_nothing_is_told(
    module_database: Urls, superuser_url: str
) -> None:
    assert await told(module_database, OperationId("market", uuid4(), "reserve"), LAMP) == []
    operation = reservation(superuser_url, (LAMP, 2, "TAKEN"))
    assert await told(module_database, operation, LAMP, tenant=TenantId(uuid4())) == []
