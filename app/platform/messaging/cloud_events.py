"""Events as the world reads them: CloudEvents 1.0 documents, written once, when the event is recorded."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from app.platform.http.shapes import timestamp

SOURCE: Final = "/strongbox"

_encode: Final = msgspec.json.Encoder().encode


class _CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A document in structured mode. `sequence`, `traceparent` and `tenantid` are extension attributes."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    dataschema: str
    sequence: int
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    tenantid: str | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Struct


def document(
    *, id: UUID, type: str, subject: UUID, occurred_at: datetime, sequence: int, schema: str, data: msgspec.Struct,
    traceparent: str | None = None, tenant_id: UUID | None = None,
) -> str:  # fmt: skip
    """The event's document, as JSON text. `data` is of the JSON Schema that `schema` names.

    `sequence` is the event's place among those of its subject, from 1 on. `tenant_id`, for whom it happened, where
    readers are told of it.
    """
    event = _CloudEvent(
        id=str(id),
        type=type,
        subject=str(subject),
        time=timestamp(occurred_at),
        dataschema=schema,
        sequence=sequence,
        traceparent=traceparent or msgspec.UNSET,
        tenantid=msgspec.UNSET if tenant_id is None else str(tenant_id),
        data=data,
    )
    return _encode(event).decode()
