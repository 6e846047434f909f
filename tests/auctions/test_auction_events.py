"""What is told of auctions: the documents, and their schema."""

import json
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.contexts.auctions.adapters.postgres.event_documents import _outbox_row, _row
from app.contexts.auctions.domain import closing
from app.contexts.auctions.domain.auction import Auction
from app.contexts.auctions.domain.events import Event, EventType
from app.contexts.ordering.public import OrderId
from app.kernel.ids import EventId
from tests.auctions.builders import HOUR, after, auction
from tests.builders import NOON
from tests.system.documents import ROOT

SCHEMA: Final[dict[str, Any]] = json.loads((ROOT / "docs/auctions/schemas/auction.1.json").read_text())
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRETS: Final = (654_321, 876_543)
"""A maximum, and a reserve."""

OPENED: Final = auction(reserve_price_minor=SECRETS[1], buy_now_price_minor=900_000)
BIDS: Final = ((11, 100, 400), (12, 450, SECRETS[0]))
LED: Final = after(OPENED, *BIDS).auction
SOLD: Final = closing.end(after(replace(OPENED, reserve_price_minor=None), *BIDS).auction, NOON + HOUR)
ENDED: Final = closing.finish(SOLD, OrderId(UUID(int=7)), NOON + HOUR)
STAGES: Final[dict[EventType, Auction]] = {
    EventType.OPENED: OPENED,
    EventType.BID: LED,
    EventType.EXTENDED: replace(LED, last_event_id=4),
    EventType.ENDED: ENDED,
    EventType.CANCELLED: closing.finish(closing.cancel(LED, None, NOON, may_always=True), None, NOON),
}


def event(kind: EventType, trace: str | None = None) -> Event:
    return Event(EventId(UUID(int=6)), kind, STAGES[kind], NOON + HOUR, trace)


@pytest.mark.parametrize("kind", EventType)
def test_the_schema_describes_the_event(kind: EventType) -> None:
    told = event(kind)
    row = _outbox_row(told)
    shown = json.loads(row.document)
    assert (shown["type"], shown["sequence"], shown["dataschema"]) == (
        kind.value, STAGES[kind].last_event_id, SCHEMA["$id"],
    )  # fmt: skip
    assert (shown["subject"], shown["tenantid"]) == (str(OPENED.id), str(OPENED.tenant_id))
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(shown["data"])
    assert set(shown["data"]) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert (row.owner_id, row.subject, row.tenant_id) == (OPENED.id, OPENED.id, OPENED.tenant_id)


@pytest.mark.parametrize("kind", EventType)
def test_nobodys_maximum_no_reserve_and_nobody_who_bids_is_told(kind: EventType) -> None:
    told = event(kind)
    for text in (_outbox_row(told).document, str(_row(told))):
        assert not [secret for secret in SECRETS if str(secret) in text]
        assert str(UUID(int=11)) not in text
        assert str(UUID(int=12)) not in text


def test_the_trace_of_the_request_is_told_where_there_was_one() -> None:
    assert json.loads(_outbox_row(event(EventType.BID, TRACE)).document)["traceparent"] == TRACE
    assert "traceparent" not in json.loads(_outbox_row(event(EventType.BID)).document)


def test_watchers_are_told_by_the_last_word_and_the_same_number() -> None:
    row = _row(event(EventType.ENDED))
    assert row[3:5] == (ENDED.last_event_id, "ended")
    assert json.loads(str(row[5]))["order_id"] == str(UUID(int=7))
