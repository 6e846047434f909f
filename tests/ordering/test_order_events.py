"""What is told of orders: the documents, and their schema."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.funds.public import HoldId
from app.contexts.ordering.adapters.postgres.event_documents import document, outbox_row
from app.contexts.ordering.domain.events import EventType, told
from app.contexts.ordering.domain.order import Closing, Order
from app.kernel.ids import EventId
from tests.builders import NOON
from tests.ordering.orders import TENANT, order
from tests.system.documents import ROOT

SCHEMA: Final[dict[str, Any]] = json.loads((ROOT / "docs/ordering/schemas/order.1.json").read_text())
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT: Final = EventId(UUID(int=6))

PAID: Final = order().pay(HoldId(UUID(int=9)), 25, NOON)
SHIPPED: Final = PAID.begin(Closing.SHIP, PAID.seller_id, NOON, tracking="1Z").ship(NOON)
TOLD: Final[Mapping[EventType, tuple[int, Order]]] = {
    EventType.PAID: (1, PAID),
    EventType.SHIPPED: (2, SHIPPED),
    EventType.CANCELLED: (2, PAID.begin(Closing.CANCEL, None, NOON, reason="between us").cancel(NOON)),
    EventType.COMPLETED: (3, SHIPPED.complete(NOON)),
}


@pytest.mark.parametrize("kind", EventType)
def test_the_schema_describes_the_event(kind: EventType) -> None:
    sequence, stage = TOLD[kind]
    shown = json.loads(document(told(stage, EVENT)))
    assert (shown["type"], shown["sequence"], shown["dataschema"]) == (kind, sequence, SCHEMA["$id"])
    assert (shown["subject"], shown["tenantid"]) == (str(stage.id), str(TENANT))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(shown["data"])
    assert set(shown["data"]) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert "between us" not in json.dumps(shown)


def test_the_trace_of_the_request_is_told_where_there_was_one() -> None:
    assert json.loads(document(told(PAID, EVENT, TRACE)))["traceparent"] == TRACE
    assert "traceparent" not in json.loads(document(told(PAID, EVENT)))


@pytest.mark.parametrize("stage", [order(), order().cancel(NOON)], ids=["pending", "never paid"])
def test_nothing_is_told_of_what_was_never_paid(stage: Order) -> None:
    with pytest.raises(ValueError, match="without ever having been paid"):
        told(stage, EVENT)


def test_the_row_is_the_buyers_and_the_tenants() -> None:
    row = outbox_row(told(SHIPPED, EVENT))
    assert (row.owner_id, row.subject, row.sequence, row.type, row.tenant_id) == (
        SHIPPED.buyer_id,
        SHIPPED.id,
        2,
        "order.shipped",
        TENANT,
    )
