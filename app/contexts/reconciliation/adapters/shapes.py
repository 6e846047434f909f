"""A run as it is shown, and as its event carries it."""

from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from app.contexts.reconciliation.domain.run import Reconciliation
from app.platform.http.shapes import Time, timestamp

RUN_SCHEMA: Final = "urn:strongbox:schema:reconciliation:1"

Count = Annotated[int, Meta(ge=0)]
Day = Annotated[str, Meta(description="A day, in UTC.", extra_json_schema={"format": "date"})]


class RunShape(Struct, frozen=True):
    """A report of a day, compared. `lines` of it are the tenant's, or nobody's; `carried` is left to the next day's."""

    reconciliation_id: UUID
    date: Day
    sha256: Annotated[str, Meta(description="Of the report's bytes, in hexadecimal digits.", pattern="^[0-9a-f]{64}$")]
    lines: Count
    matched: Count
    carried: Count
    findings: Count
    created_at: Time


def run_shape(run: Reconciliation) -> RunShape:
    """The run."""
    return RunShape(
        reconciliation_id=run.id,
        date=run.date.isoformat(),
        sha256=run.sha256.hex(),
        lines=run.lines,
        matched=run.matched,
        carried=run.carried,
        findings=run.findings,
        created_at=timestamp(run.created_at),
    )
