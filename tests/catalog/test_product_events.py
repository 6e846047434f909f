"""What is told of products: the documents, their schema, and the page that shows one."""

import json
import re
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.catalog.adapters.postgres.event_documents import document
from app.contexts.catalog.domain.ids import CategoryId, ProductId
from app.contexts.catalog.domain.product import Condition, Details, Event, EventType, Product, edited, removed
from app.kernel.ids import EventId, UserId
from app.kernel.money import Currency
from app.kernel.principal import TenantId
from tests.builders import NOON
from tests.catalog.shop import Shop
from tests.system.documents import ROOT, table

SCHEMA: Final[dict[str, Any]] = json.loads((ROOT / "docs/catalog/schemas/product.1.json").read_text())
EVENT: Final = EventId(UUID(int=6))
BARE: Final = Product(
    id=ProductId(UUID(int=1)),
    tenant_id=TenantId(UUID(int=2)),
    seller_id=UserId(UUID(int=3)),
    details=Details(title="A thing", condition=Condition.FAIR, price_minor=1, currency=Currency("USD"), quantity=2),
    created_at=NOON,
    updated_at=NOON,
)
FULL: Final = edited(
    BARE,
    replace(
        BARE.details,
        category_id=CategoryId(UUID(int=4)),
        images=("https://i.example/1",),
        video_url="https://v.example/1",
        specifications={"size": "M"},
        shipping_info={"days": 3},
    ),
    featured=True,
)
TOLD: Final = {EventType.CREATED: (1, BARE), EventType.UPDATED: (2, FULL), EventType.DELETED: (3, removed(FULL))}
CHECK: Final = Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate


@pytest.mark.parametrize("kind", EventType)
def test_the_schema_describes_the_event(kind: EventType) -> None:
    sequence, product = TOLD[kind]
    shown = json.loads(document(Event(EVENT, kind, product)))
    assert (shown["type"], shown["sequence"], shown["dataschema"]) == (kind, sequence, SCHEMA["$id"])
    assert (shown["subject"], shown["tenantid"]) == (str(product.id), str(product.tenant_id))
    CHECK(shown["data"])
    assert set(shown["data"]) == set(SCHEMA["properties"]) == set(SCHEMA["required"])


async def test_what_is_told_is_what_is_shown(shop: Shop) -> None:
    product = await shop.product(title="told")
    changed = (await shop.replace(product, title="told again")).json()
    query = "SELECT payload, tenant_id FROM catalog.outbox_events WHERE subject = %s ORDER BY id"
    first, second = shop.rows(query, product["product_id"])
    assert (first[0]["data"], second[0]["data"]) == (product, changed)
    assert {first[1], second[1]} == {shop.people.tenant}


def test_the_events_of_the_page_are_events() -> None:
    page = "docs/catalog/products.md"
    assert [row[0].strip("`") for row in table(page, "Events")] == [each.value for each in EventType]
    (example,) = re.findall(r"^```json\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    shown = json.loads(example)
    CHECK(shown["data"])
    assert set(shown) == set(json.loads(document(Event(EVENT, EventType.CREATED, BARE))))
