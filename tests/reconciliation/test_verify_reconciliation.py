"""Whatever contradicts itself in what reconciliation keeps is found, and nothing else."""

from collections.abc import Sequence

import pytest

from app.contexts.reconciliation.adapters.operations.checks import checks_of_reconciliation
from app.main.local.roles import Urls
from app.platform.postgres.evidence import Database
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import OfTenants, Tenants
from tests.reconciliation.desk import DAY, NEXT, Desk, Row, at, line, report


async def offenders(url: str, desk: Desk) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    own, found = checks_of_reconciliation(Database("DATABASE_URL", url)), []
    known = " UNION ALL ".join(f"SELECT '{house.tenant_id}'" for house in desk.people.houses)
    async with snapshot(url) as books:
        tenants = Tenants(books, known)
        for check in [*own.within(books), *(OfTenants(books, tenants, *claim) for claim in own.of_tenants)]:
            found += [(check.name, line) async for line in check.offenders()]
    return found


@pytest.fixture
def lived(desk: Desk) -> dict[str, object]:
    """Two days with a bit of everything."""
    fine, wrong, again = Row(desk.tenant), Row(desk.tenant), Row(desk.tenant)
    pending, late = Row(desk.tenant, "PENDING"), Row(desk.tenant, finalized_at=at(DAY, "23:59:00"))
    theirs = Row(desk.people.other_tenant)
    desk.put([fine, wrong, again, pending, late, theirs])
    lines = [line(fine), line(wrong, amount=1), line(again), line(again), line(pending), line(theirs)]
    first = desk.run(report(*lines))
    second = desk.run(report(line(late)), NEXT)
    (finding,) = desk.findings(first, kind="doubled")
    assert desk.resolve(finding["finding_id"]).status_code == 200
    return {"first": first["reconciliation_id"], "second": second["reconciliation_id"]}


async def test_what_has_lived_adds_up(desk: Desk, lived: dict[str, object], module_database: Urls) -> None:
    assert await offenders(module_database.app_url, desk) == []


WHOLE, TAKEN = "reconciliations_are_whole", "carried_is_taken_once"
TAMPERINGS: dict[str, set[str]] = {
    "UPDATE reconciliation.runs SET findings = findings + 1 WHERE id = %s": {WHOLE},
    "UPDATE reconciliation.runs SET unresolved = unresolved - 1 WHERE id = %s": {WHOLE},
    "UPDATE reconciliation.runs SET matched = matched - 1 WHERE id = %s": {WHOLE},
    "UPDATE reconciliation.runs SET carried = carried + 1 WHERE id = %s": {WHOLE},
    "UPDATE reconciliation.findings SET resolved_at = NULL, note = NULL WHERE reconciliation_id = %s": {WHOLE},
    "DELETE FROM reconciliation.reported WHERE reconciliation_id = %s": {WHOLE},
    "DELETE FROM reconciliation.findings WHERE kind = 'amount_differs' AND reconciliation_id = %s": {WHOLE},
    "UPDATE reconciliation.carried SET taken_by = NULL WHERE reconciliation_id = %s": {TAKEN},
    "UPDATE reconciliation.carried SET taken_by = reconciliation_id WHERE reconciliation_id = %s": {TAKEN},
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_what_was_tampered_with_is_found(
    desk: Desk, lived: dict[str, object], module_database: Urls, tampering: str
) -> None:
    desk.query(tampering, lived["first"])
    assert {name for name, _ in await offenders(module_database.app_url, desk)} == TAMPERINGS[tampering]


async def test_a_wall_that_is_down_is_found(desk: Desk, module_database: Urls) -> None:
    desk.query("ALTER TABLE reconciliation.findings NO FORCE ROW LEVEL SECURITY")
    try:
        assert {name for name, _ in await offenders(module_database.app_url, desk)} == {
            "reconciliation_tenants_are_walled_off"
        }
    finally:
        desk.query("ALTER TABLE reconciliation.findings FORCE ROW LEVEL SECURITY")
