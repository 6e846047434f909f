"""Runs and findings, as they are shown."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.contexts.reconciliation.adapters.shapes import RunShape
from app.contexts.reconciliation.domain.finding import Finding, Kind, Ours, Theirs
from app.platform.http.shapes import Amount, Code, Time, timestamp


class OursView(Struct, frozen=True):
    """The payment, or the refund, as it is here."""

    status: str
    amount: Amount
    currency: Code
    finalized_at: Time | None


class TheirsView(Struct, frozen=True):
    """The line, as the report has it."""

    charge_id: UUID
    amount: Amount
    currency: Code
    occurred_at: Time


class FindingView(Struct, frozen=True):
    """What does not fit. `line` is that of the run's report, its header the first; null for what is in none of its
    lines: what is missing there, and what an earlier day's run has carried over."""

    finding_id: UUID
    kind: Kind
    payment_id: UUID
    refund_id: UUID | None
    ours: OursView | None
    theirs: TheirsView | None
    line: int | None
    resolved_at: Time | None
    note: str | None


class FindingsView(Struct, frozen=True):
    """A page of findings, by kind and in it by line. `next_cursor` asks for the next page."""

    findings: list[FindingView]
    next_cursor: str | None


class RunsView(Struct, frozen=True):
    """A page of reconciliations, newest first. `next_cursor` asks for the next page."""

    reconciliations: list[RunShape]
    next_cursor: str | None


def finding_view(finding: Finding) -> FindingView:
    """The finding."""
    return FindingView(
        finding_id=finding.id,
        kind=finding.kind,
        payment_id=finding.payment_id,
        refund_id=finding.refund_id,
        ours=None if finding.ours is None else _ours(finding.ours),
        theirs=None if finding.theirs is None else _theirs(finding.theirs),
        line=finding.line,
        resolved_at=_time(finding.resolved_at),
        note=finding.note,
    )


def _ours(ours: Ours) -> OursView:
    return OursView(ours.status, ours.amount, ours.currency, _time(ours.finalized_at))


def _theirs(theirs: Theirs) -> TheirsView:
    return TheirsView(theirs.charge_id, theirs.amount, theirs.currency, timestamp(theirs.occurred_at))


def _time(at: datetime | None) -> str | None:
    return None if at is None else timestamp(at)
