"""What is told of transfers and holds: the documents, their schemas, and the page that describes them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.funds.adapters.postgres.event_documents import document
from app.contexts.funds.domain.events import Event, EventType
from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import HoldId, TransferId
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.kernel.ids import EventId, UserId
from tests.builders import NOON, money
from tests.funds.moving import TENANT
from tests.system.documents import ROOT, table

PAGE = "docs/funds/transfers-and-holds.md"
SCHEMAS: dict[str, dict[str, Any]] = {
    schema["$id"]: schema
    for schema in (json.loads(path.read_text()) for path in (ROOT / "docs/funds/schemas").glob("*.json"))
}
ADA, BOB = UserId(UUID(int=3)), UserId(UUID(int=4))
SENT = CompletedTransfer(TransferId(UUID(int=1)), TENANT, ADA, BOB, money(7), NOON, note="between us")
OPEN = Hold(HoldId(UUID(int=2)), ADA, TENANT, "market", UUID(int=5), money(60), NOON)


def every_event() -> Iterator[Event]:
    """One of each kind, of the stages that there are."""
    ending = OPEN._replace(expires_at=NOON + timedelta(days=1))
    traced = SENT._replace(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    for subject in (
        SENT,
        traced,
        SENT._replace(sender=None),
        OPEN,
        ending,
        ending.resize(50, NOON),
        OPEN.capture(45, b"parts", NOON),
        OPEN.resize(70, NOON).release(NOON),
    ):
        yield Event(EventId(uuid4()), subject, NOON)


@pytest.mark.parametrize("event", [*every_event()], ids=lambda event: event.type.value)
def test_the_schemas_describe_the_events(event: Event) -> None:
    told = json.loads(document(event))
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])
    assert "between us" not in document(event)


def test_every_type_is_told_and_is_on_the_page() -> None:
    told = {row[0].strip("`") for row in table(PAGE, "Events")}
    assert told == {event.type.value for event in every_event()} == {kind.value for kind in EventType}


def test_the_event_of_the_page_is_one() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", (ROOT / PAGE).read_text(), re.DOTALL | re.MULTILINE)
    shown = json.loads(example)
    Draft202012Validator(SCHEMAS[shown["dataschema"]]).validate(shown["data"])
    assert set(shown) == set(json.loads(document(next(every_event()))))


def test_a_transfer_is_written_as_it_always_was() -> None:
    """Byte for byte: what is hashed of it goes by the text."""
    assert document(Event(EventId(UUID(int=6)), SENT, NOON)) == (
        '{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000006","source":"/strongbox",'
        '"type":"transfer.completed","subject":"00000000-0000-0000-0000-000000000001",'
        '"time":"2026-01-31T12:00:00.000000Z","datacontenttype":"application/json",'
        '"dataschema":"urn:strongbox:schema:transfer:1","sequence":1,'
        '"data":{"transfer_id":"00000000-0000-0000-0000-000000000001","from":"00000000-0000-0000-0000-000000000003",'
        '"to":"00000000-0000-0000-0000-000000000004","amount":7,"currency":"USD","status":"COMPLETED",'
        '"created_at":"2026-01-31T12:00:00.000000Z","tenant_id":"00000000-0000-0000-0000-000000000001"}}'
    )


def test_a_hold_is_written_as_it_always_was() -> None:
    captured = OPEN.resize(50, NOON).capture(45, b"parts", NOON)
    assert document(Event(EventId(UUID(int=6)), captured, NOON)) == (
        '{"specversion":"1.0","id":"00000000-0000-0000-0000-000000000006","source":"/strongbox",'
        '"type":"hold.captured","subject":"00000000-0000-0000-0000-000000000002",'
        '"time":"2026-01-31T12:00:00.000000Z","datacontenttype":"application/json",'
        '"dataschema":"urn:strongbox:schema:hold:1","sequence":3,'
        '"data":{"hold_id":"00000000-0000-0000-0000-000000000002","user_id":"00000000-0000-0000-0000-000000000003",'
        '"context":"market","business_id":"00000000-0000-0000-0000-000000000005","amount":50,"captured":45,'
        '"released":5,"currency":"USD","status":"CAPTURED","created_at":"2026-01-31T12:00:00.000000Z",'
        '"expires_at":null}}'
    )
