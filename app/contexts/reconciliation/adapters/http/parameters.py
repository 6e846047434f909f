"""What requests about reconciliations say beside their bodies."""

from datetime import date
from typing import Final, NoReturn

from app.contexts.reconciliation.adapters.http.examples import FINDING_ID, RUN_ID
from app.contexts.reconciliation.domain.days import day_of
from app.contexts.reconciliation.domain.finding import Kind
from app.contexts.reconciliation.domain.ids import FindingId, ReconciliationId
from app.platform.http.errors import validation
from app.platform.http.operations import Parameter
from app.platform.http.parameters import read_uuid

_DAY: Final = "must be a day like 2026-01-31"


def _wrong(name: str, why: str) -> NoReturn:
    raise validation({name: why}) from None


def _read_day(text: str | None) -> date:
    if text is None:
        _wrong("date", "is required")
    try:
        return day_of(text)
    except ValueError:
        _wrong("date", _DAY)


def _read_kind(text: str | None) -> Kind | None:
    try:
        return None if text is None else Kind(text)
    except ValueError:
        _wrong("kind", f"must be one of {', '.join(Kind)}")


DAY: Parameter[date] = Parameter(
    name="date",
    where="query",
    read=_read_day,
    required=True,
    description="The day of the report, in UTC; not one that is still to come.",
    schema={"type": "string", "format": "date"},
    example="2026-01-31",
)
KIND: Parameter[Kind | None] = Parameter(
    name="kind",
    key="kind_of_finding",
    where="query",
    read=_read_kind,
    description="Only findings of this kind.",
    schema={"type": "string", "enum": [*Kind]},
    example="missing_there",
)
RUN: Parameter[ReconciliationId] = Parameter(
    name="id",
    key="reconciliation",
    where="path",
    read=lambda text: ReconciliationId(read_uuid("id", text)),
    required=True,
    description="The reconciliation, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=RUN_ID,
)
FINDING: Parameter[FindingId] = Parameter(
    name="id",
    key="finding",
    where="path",
    read=lambda text: FindingId(read_uuid("id", text)),
    required=True,
    description="The finding, in any spelling of a UUID.",
    schema={"type": "string", "format": "uuid"},
    example=FINDING_ID,
)
