"""What is told of cashback: the documents, and their schemas."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.rewards.adapters.postgres.event_documents import document, outbox_row
from app.contexts.rewards.domain.account import Account, Standing
from app.contexts.rewards.domain.events import Event, EventType
from app.contexts.rewards.domain.ids import PurchaseId, RefundId, RuleId
from app.contexts.rewards.domain.rule import Gift
from app.contexts.rewards.domain.sale import Sale, Source
from app.contexts.rewards.domain.tokens import MOST
from app.contexts.rewards.public import EVENTS
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.kernel.principal import TenantId
from app.platform.process.uuid7 import uuid7
from tests.system.documents import ROOT

NOON: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
TENANT, USER = TenantId(UUID(int=1)), UserId(UUID(int=7))
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    schema["$id"]: schema
    for schema in (json.loads(path.read_text()) for path in (ROOT / "docs/rewards/schemas").glob("*.json"))
}


def events(trace: str | None = None) -> dict[EventType, Event]:
    """One of each kind: of the largest amount that there is."""
    account = Account(Standing(TENANT, USER, "0x" + "a" * 40, 1), (), NOON, uuid7)
    account.traceparent = trace
    sale = Sale(
        user_id=USER, source=Source.PURCHASE, merchant="a “lamp” shop", reference="r",
        money=Money(1, Currency("USD")), at=NOON,
    )  # fmt: skip
    entry = account.earn(sale, PurchaseId(uuid7()), Gift(RuleId(uuid7()), MOST))
    account.reverse(entry.id, RefundId(uuid7()), 1)
    return {event.type: event for event in account.events}


@pytest.mark.parametrize("kind", EventType)
def test_the_schema_describes_the_event(kind: EventType) -> None:
    event = events()[kind]
    told = json.loads(document(event))
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])
    assert (told["type"], told["subject"], told["tenantid"]) == (kind, str(event.entry.id), str(TENANT))
    assert isinstance(told["data"]["amount"], str)
    assert any(queue.takes(kind) for queue in EVENTS.queues)


def test_the_events_of_an_entry_are_numbered_in_their_order() -> None:
    assert [(kind, event.sequence) for kind, event in events().items()] == [
        (EventType.EARNED, 1), (EventType.MINT_REQUESTED, 2), (EventType.REVERSED, 3),
    ]  # fmt: skip


def test_the_trace_of_the_request_is_told_where_there_was_one() -> None:
    assert all(json.loads(document(event))["traceparent"] == TRACE for event in events(TRACE).values())
    assert all("traceparent" not in json.loads(document(event)) for event in events().values())


def test_the_row_is_the_users_and_the_tenants_and_its_subject_the_entry() -> None:
    event = events()[EventType.MINT_REQUESTED]
    row = outbox_row(event)
    assert (row.owner_id, row.subject, row.sequence, row.type, row.tenant_id) == (
        USER, event.entry.id, 2, "mint.requested", TENANT,
    )  # fmt: skip
