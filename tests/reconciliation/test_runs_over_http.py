"""Runs and findings as clients have them: who may, pages, filters, resolving."""

from typing import Any
from uuid import uuid4

import pytest

from app.kernel.principal import Role
from tests.api_harness import error
from tests.fakes.people import Somebody
from tests.reconciliation.desk import DAY, NEXT, PATH, Desk, Row, line, report

MIB = 1024 * 1024


@pytest.fixture
def found(desk: Desk) -> dict[str, Any]:
    """A run with one finding of each of three kinds."""
    rows = [Row(desk.tenant, amount=100) for _ in range(3)]
    desk.put(rows)
    return desk.run(report(line(rows[0], amount=1), line(rows[1], currency="EUR")))


def machine(desk: Desk, *scopes: str) -> Somebody:
    return desk.people.machine(*scopes)


def test_runs_are_listed_newest_first_and_page_by_page(desk: Desk) -> None:
    runs = [desk.run(report(line(Row(desk.tenant)))) for _ in range(3)]
    first = desk.get(limit=2).json()
    assert first["reconciliations"] == [runs[2], runs[1]]
    second = desk.get(limit=2, cursor=first["next_cursor"]).json()
    assert second == {"reconciliations": [runs[0]], "next_cursor": None}
    assert desk.get(f"/{runs[0]['reconciliation_id'].upper()}").json() == runs[0]


def test_a_run_says_what_came_of_it(desk: Desk, found: dict[str, Any]) -> None:
    assert {*found} == {
        "reconciliation_id", "date", "sha256", "lines", "matched", "carried", "findings", "created_at",
    }  # fmt: skip
    assert (found["date"], found["lines"], found["matched"], found["findings"]) == (DAY.isoformat(), 2, 0, 3)


def test_findings_are_listed_by_kind_and_line_and_page_by_page(desk: Desk, found: dict[str, Any]) -> None:
    path = f"/{found['reconciliation_id']}/findings"
    whole = desk.get(path).json()["findings"]
    assert [one["kind"] for one in whole] == ["amount_differs", "currency_differs", "missing_there"]
    assert {*whole[0]} == {
        "finding_id", "kind", "payment_id", "refund_id", "ours", "theirs", "line", "resolved_at", "note",
    }  # fmt: skip
    first = desk.get(path, limit=2).json()
    second = desk.get(path, limit=2, cursor=first["next_cursor"]).json()
    assert first["findings"] + second["findings"] == whole
    assert second["next_cursor"] is None
    assert desk.findings(found, kind="currency_differs") == [whole[1]]
    assert desk.findings(found, kind="doubled") == []


def test_a_cursor_belongs_to_its_run_and_kind(desk: Desk, found: dict[str, Any]) -> None:
    path = f"/{found['reconciliation_id']}/findings"
    cursor = desk.get(path, limit=1).json()["next_cursor"]
    assert [*error(desk.get(path, kind="doubled", cursor=cursor), 400, "VALIDATION_ERROR")] == ["cursor"]
    other = desk.run(report(), NEXT)
    answer = desk.get(f"/{other['reconciliation_id']}/findings", cursor=cursor)
    assert [*error(answer, 400, "VALIDATION_ERROR")] == ["cursor"]
    assert [*error(desk.get(path, kind="odd"), 400, "VALIDATION_ERROR")] == ["kind"]


def test_a_finding_is_resolved_with_a_note(desk: Desk, found: dict[str, Any]) -> None:
    (one,) = desk.findings(found, kind="amount_differs")
    answer = desk.resolve(one["finding_id"], "the gateway has mended it")
    assert answer.status_code == 200
    resolved = answer.json()
    assert resolved == one | {"resolved_at": resolved["resolved_at"], "note": "the gateway has mended it"}
    assert resolved["resolved_at"] is not None
    assert desk.findings(found, kind="amount_differs") == [resolved]
    assert _unresolved(desk, found) == 2
    again = desk.resolve(one["finding_id"], "no: we have").json()
    assert again == resolved | {"note": "no: we have"}
    assert _unresolved(desk, found) == 2
    recorded = desk.query(
        "SELECT operator, action, details->>'note' FROM audit.actions WHERE details->>'finding_id' = %s ORDER BY id",
        one["finding_id"],
    )
    who = f"user {desk.admin.id}"
    assert recorded == [
        (who, "reconciliation resolve", note) for note in ("the gateway has mended it", "no: we have")
    ], "with the end of each behind it, which says no more"


def _unresolved(desk: Desk, run: dict[str, Any]) -> int:
    ((count,),) = desk.query("SELECT unresolved FROM reconciliation.runs WHERE id = %s", run["reconciliation_id"])
    return int(count)


@pytest.mark.parametrize("note", ["", "x" * 501, "two\nlines", None, 5])
def test_a_note_that_is_none_is_refused(desk: Desk, found: dict[str, Any], note: object) -> None:
    (one,) = desk.findings(found, kind="amount_differs")
    assert [*error(desk.resolve(one["finding_id"], note), 400, "VALIDATION_ERROR")] == ["note"]
    assert desk.findings(found, kind="amount_differs") == [one]


def test_what_there_is_not_is_not_found(desk: Desk, found: dict[str, Any]) -> None:
    error(desk.get(f"/{uuid4()}"), 404, "NOT_FOUND")
    error(desk.get(f"/{uuid4()}/findings"), 404, "NOT_FOUND")
    error(desk.resolve(uuid4()), 404, "NOT_FOUND")
    (one,) = desk.findings(found, kind="amount_differs")
    stranger = desk.people.user(role=Role.ADMIN, tenant=desk.people.other_tenant)
    error(desk.resolve(one["finding_id"], who=stranger), 404, "NOT_FOUND")
    error(desk.get(f"/{found['reconciliation_id']}/findings", stranger), 404, "NOT_FOUND")


def test_machines_that_may_read_read_and_do_no_more(desk: Desk, found: dict[str, Any]) -> None:
    reader = machine(desk, "finance:read")
    assert desk.get(who=reader).status_code == 200
    assert desk.get(f"/{found['reconciliation_id']}", reader).status_code == 200
    (one,) = desk.findings(found, reader, kind="amount_differs")
    error(desk.post(report(), who=reader), 403, "FORBIDDEN")
    error(desk.resolve(one["finding_id"], who=reader), 403, "FORBIDDEN")


@pytest.mark.parametrize("who", ["customer", "seller", "machine"])
def test_nobody_else_may(desk: Desk, who: str) -> None:
    somebody = machine(desk, "payments:read") if who == "machine" else desk.people.user(role=Role(who))
    error(desk.get(who=somebody), 403, "FORBIDDEN")
    error(desk.post(report(), who=somebody), 403, "FORBIDDEN")


def test_a_report_of_sixteen_mebibytes_is_taken_and_no_more(desk: Desk) -> None:
    one = line(Row(desk.tenant)) + "\n"
    many = (16 * MIB - len(report())) // len(one)
    run = desk.run(report() + one.encode() * many)
    assert (run["lines"], run["findings"]) == (many, many)
    too_much = report() + one.encode() * (many + 1)
    error(desk.post(too_much), 413, "PAYLOAD_TOO_LARGE")
    chunks = (too_much[at : at + MIB] for at in range(0, len(too_much), MIB))
    answer = desk.client.post(
        PATH, content=chunks, params={"date": str(DAY)}, headers=desk.admin.bearer | {"Content-Type": "text/csv"}
    )
    error(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/csv; charset=latin-1", ""])
def test_what_is_no_csv_is_another_media_type(desk: Desk, kind: str) -> None:
    answer = desk.post(report(), headers={"Content-Type": kind})
    assert error(answer, 415, "UNSUPPORTED_MEDIA_TYPE") == {"Content-Type": "text/csv"}


@pytest.mark.parametrize("kind", ["text/csv", "Text/CSV; charset=UTF-8; header=present"])
def test_csv_is_csv_however_it_is_said(desk: Desk, kind: str) -> None:
    assert desk.post(report(), headers={"Content-Type": kind}).status_code == 201


def test_a_report_that_is_packed_is_not_unpacked(desk: Desk) -> None:
    error(desk.post(report(), headers={"Content-Encoding": "gzip"}), 415, "UNSUPPORTED_MEDIA_TYPE")
