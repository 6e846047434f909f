"""The invariants of reconciliation that its database can show, each as a query for what contradicts it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.platform.postgres.walls import Claim

_WHOLE: Final = """
    SELECT format('run %s of %s has %s findings, %s of them unresolved: it says %s and %s', r.id, r.date,
                  coalesce(f.findings, 0), coalesce(f.unresolved, 0), r.findings, r.unresolved)
    FROM reconciliation.runs r
    LEFT JOIN (
        SELECT reconciliation_id, count(*) AS findings, count(*) FILTER (WHERE resolved_at IS NULL) AS unresolved
        FROM reconciliation.findings GROUP BY reconciliation_id
    ) f ON f.reconciliation_id = r.id
    WHERE (r.findings, r.unresolved) IS DISTINCT FROM (coalesce(f.findings, 0), coalesce(f.unresolved, 0))
    UNION ALL
    SELECT format('run %s of %s has carried %s: it says %s', r.id, r.date, coalesce(c.carried, 0), r.carried)
    FROM reconciliation.runs r
    LEFT JOIN (
        SELECT reconciliation_id, count(*) AS carried FROM reconciliation.carried GROUP BY reconciliation_id
    ) c ON c.reconciliation_id = r.id
    WHERE r.carried IS DISTINCT FROM coalesce(c.carried, 0)
    UNION ALL
    SELECT format('run %s of %s has %s lines: %s fit, %s have a finding, %s are carried', r.id, r.date, r.lines,
                  r.matched, coalesce(f.lines, 0), coalesce(c.lines, 0))
    FROM reconciliation.runs r
    LEFT JOIN (
        SELECT reconciliation_id, count(line) AS lines FROM reconciliation.findings GROUP BY reconciliation_id
    ) f ON f.reconciliation_id = r.id
    LEFT JOIN (
        SELECT reconciliation_id, count(their_charge_id) AS lines FROM reconciliation.carried GROUP BY reconciliation_id
    ) c ON c.reconciliation_id = r.id
    WHERE r.lines <> r.matched + coalesce(f.lines, 0) + coalesce(c.lines, 0)
    UNION ALL
    SELECT format('of the lines of run %s of %s it is kept what %s told of', r.id, r.date, coalesce(t.lines, 0))
    FROM reconciliation.runs r
    LEFT JOIN (
        SELECT reconciliation_id, sum(cardinality(ids)) AS lines FROM reconciliation.reported GROUP BY reconciliation_id
    ) t ON t.reconciliation_id = r.id
    WHERE r.lines <> coalesce(t.lines, 0)
"""

_TAKEN: Final = """
    SELECT format('what run %s of %s has carried was taken by run %s of %s', c.reconciliation_id, c.date, c.taken_by,
                  r.date)
    FROM reconciliation.carried c LEFT JOIN reconciliation.runs r ON r.id = c.taken_by
    WHERE c.taken_by IS NOT NULL AND (r.date > c.date) IS NOT TRUE
    UNION ALL
    SELECT format('run %s of %s has left what run %s of %s has carried', r.id, r.date, c.reconciliation_id, c.date)
    FROM reconciliation.carried c
    JOIN reconciliation.runs f ON f.id = c.reconciliation_id
    JOIN reconciliation.runs r ON r.date > c.date AND r.created_at > f.created_at
    WHERE c.taken_by IS NULL
"""

OF_TENANTS: Final[Sequence[Claim]] = (
    (
        "reconciliations_are_whole",
        "what a run says that it has matched, found and carried is there, and is all of its report",
        _WHOLE,
    ),
    (
        "carried_is_taken_once",
        "what a run has carried is taken by the first run of a later day, and by none of an earlier one",
        _TAKEN,
    ),
)
"""Name, claim and query."""
