"""Whether the schemas and the page of events describe the events that there are."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.funds.domain.ids import TransactionId
from app.contexts.payments.adapters.postgres.event_documents import document, refund_document
from app.contexts.payments.domain.events import Event, EventType, created, refunded, settled
from app.contexts.payments.domain.outcome import Approved, Declined, FailureCode, Refunded, RefundRefused, Voided
from app.contexts.payments.domain.refund_events import RefundEvent, RefundEventType
from app.kernel.ids import EventId
from tests.builders import NOON, payment, refund
from tests.system.documents import ROOT, table

SCHEMAS: dict[str, dict[str, Any]] = {
    schema["$id"]: schema
    for schema in (json.loads(path.read_text()) for path in (ROOT / "docs").glob("*/schemas/*.json"))
}


def every_event() -> Iterator[Event]:
    """One event of each kind, about payments with and without a trace."""
    traced = payment(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    for pending in (payment(), traced):
        declined = pending.settle(Declined("DO_NOT_HONOR"), NOON)
        failed = pending.mark_for_void(NOON).settle(Voided(FailureCode.GATEWAY_TIMEOUT), NOON)
        yield created(pending, EventId(uuid4()))
        for final in (pending.settle(Approved(), NOON), declined, failed):
            yield settled(final, EventId(uuid4()))
        for final in (declined, failed):
            yield refunded(final, TransactionId(uuid4()), EventId(uuid4()), NOON)


def every_refund_event() -> Iterator[RefundEvent]:
    """One of each kind about a refund, with and without a reason and a trace."""
    for reason, trace in ((None, None), ("it was broken", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")):
        pending = refund(reason=reason, traceparent=trace)
        yield RefundEvent(EventId(uuid4()), pending)
        for outcome in (Refunded(), RefundRefused("charge_gone")):
            yield RefundEvent(EventId(uuid4()), pending.settle(outcome, NOON))


@pytest.mark.parametrize("event", [*every_refund_event()], ids=lambda event: f"{event.type}-{event.refund.reason}")
def test_the_schemas_describe_the_events_of_refunds(event: RefundEvent) -> None:
    told = json.loads(refund_document(event))
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])
    assert (told["subject"], told["sequence"]) == (str(event.refund.id), event.sequence)


@pytest.mark.parametrize("event", [*every_event()], ids=lambda event: f"{event.type}-{event.payment.status}")
def test_the_schemas_describe_the_events(event: Event) -> None:
    told = json.loads(document(event))
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_events_of_the_page_are_events() -> None:
    page = "docs/payments/events.md"
    told = {row[0].strip("`"): int(row[1]) for row in table(page)}
    every: list[Event | RefundEvent] = [*every_event(), *every_refund_event()]
    assert told == {event.type.value: event.sequence for event in every}
    assert set(told) == {kind.value for kind in (*EventType, *RefundEventType)}
    (example,) = re.findall(r"^```json\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    shown = json.loads(example)
    Draft202012Validator(SCHEMAS[shown["dataschema"]]).validate(shown["data"])
    assert set(shown) == set(json.loads(document(next(every_event()))))
