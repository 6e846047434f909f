"""What the gateway's reports and ours do not agree on."""

import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Struct

from strongbox_client.operation import Resource, W, listing, operation
from strongbox_client.signature import Place
from strongbox_client.values import Vocabulary


class FindingKind(Vocabulary):
    """What is wrong with a line."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    STATUS_DIFFERS = "status_differs"
    DOUBLED = "doubled"


class Reconciliation(Struct, frozen=True):
    """A day's report, held against what we have."""

    reconciliation_id: UUID
    date: datetime.date
    sha256: str
    lines: int
    matched: int
    carried: int
    findings: int
    created_at: datetime.datetime


class Ours(Struct, frozen=True):
    """The payment, or the refund, as the service has it."""

    status: str
    amount: int
    currency: str
    finalized_at: datetime.datetime | None


class Theirs(Struct, frozen=True):
    """The line, as the report has it."""

    charge_id: UUID
    amount: int
    currency: str
    occurred_at: datetime.datetime


class Finding(Struct, frozen=True):
    """Something that differs. `line` is the report's, the header its first; None for what is in none of its lines."""

    finding_id: UUID
    kind: FindingKind
    payment_id: UUID
    refund_id: UUID | None
    ours: Ours | None
    theirs: Theirs | None
    line: int | None
    resolved_at: datetime.datetime | None
    note: str | None


class Reconciliations(Resource[W]):
    """For admins; machines with `finance:read` read."""

    @operation("POST", "/v1/reconciliations", repeats=True)
    def run(
        self, report: Annotated[bytes, Place("body", "text/csv")], *, date: Annotated[datetime.date, Place("query")]
    ) -> Reconciliation:
        """Hold a report against what we have; the same again is the same run."""

    @operation("GET", "/v1/reconciliations/{reconciliation_id}")
    def get(self, reconciliation_id: UUID | str) -> Reconciliation:
        """A run."""

    @listing("/v1/reconciliations", "reconciliations")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Reconciliation:
        """All runs."""

    @listing("/v1/reconciliations/{reconciliation_id}/findings", "findings")
    def findings(
        self,
        reconciliation_id: UUID | str,
        *,
        kind: FindingKind | str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Finding:
        """What it found."""

    @operation("POST", "/v1/reconciliations/findings/{finding_id}/resolve", repeats=True)
    def resolve(self, finding_id: UUID | str, *, note: str) -> Finding:
        """Note what became of it."""
