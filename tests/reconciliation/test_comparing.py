"""What fits, what does not, and what is left to the next day."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.kernel.principal import Role
from tests.reconciliation.desk import DAY, NEXT, Desk, Refund, Row, at, line, report
from tests.system.documents import ROOT

CLOSE = "23:50:00"


def counts(run: dict[str, Any]) -> tuple[int, int, int, int]:
    return run["lines"], run["matched"], run["carried"], run["findings"]


def test_what_is_the_same_on_both_sides_is_no_finding(desk: Desk) -> None:
    paid, back = Row(desk.tenant), Refund(Row(desk.tenant, finalized_at=at(DAY - timedelta(days=9))))
    desk.put([paid, back])
    run = desk.run(report(line(paid), line(back)))
    assert counts(run) == (2, 2, 0, 0)
    assert desk.findings(run) == []


def test_a_day_without_anything_is_reconciled_too(desk: Desk) -> None:
    assert counts(desk.run(report())) == (0, 0, 0, 0)


def test_lines_are_matched_whatever_our_day_is(desk: Desk) -> None:
    before, behind = Row(desk.tenant, finalized_at=at(DAY, "00:01:00")), Row(desk.tenant, finalized_at=at(NEXT))
    desk.put([before, behind])
    assert counts(desk.run(report(line(before), line(behind)), DAY - timedelta(days=1))) == (2, 2, 0, 0)
    assert counts(desk.run(report(), DAY)) == (0, 0, 0, 0), "a report before has told of it"


@pytest.mark.parametrize("status", ["DECLINED", "FAILED"])
def test_what_failed_here_and_stands_there_differs_in_status(desk: Desk, status: str) -> None:
    paid = Row(desk.tenant, status)
    desk.put([paid])
    run = desk.run(report(line(paid)))
    (found,) = desk.findings(run)
    assert (found["kind"], found["ours"]["status"], found["line"]) == ("status_differs", status, 2)
    assert found["theirs"]["amount"] == paid.amount


def test_a_refund_that_was_refused_here_differs_in_status(desk: Desk) -> None:
    back = Refund(Row(desk.tenant, finalized_at=at(DAY - timedelta(days=9))), "REFUSED")
    desk.put([back])
    assert desk.kinds(desk.run(report(line(back)))) == [("status_differs", str(back.id), 2)]


def test_amount_and_currency_are_compared(desk: Desk) -> None:
    rows = [Row(desk.tenant, amount=100 + nth) for nth in range(3)]
    desk.put(rows)
    one, two, three = rows
    run = desk.run(report(line(one, amount=99), line(two, currency="EUR"), line(three, amount=1, currency="EUR")))
    assert desk.kinds(run) == [
        ("amount_differs", str(one.id), 2),
        ("currency_differs", str(two.id), 3),
        ("currency_differs", str(three.id), 4),
    ]


def test_what_comes_twice_is_doubled_from_its_second_line_on(desk: Desk) -> None:
    paid, strange = Row(desk.tenant), Row(desk.tenant)
    desk.put([paid])
    run = desk.run(report(line(paid), line(strange), line(paid, amount=1), line(strange), line(paid)))
    assert desk.kinds(run) == [
        ("doubled", str(paid.id), 4),
        ("doubled", str(strange.id), 5),
        ("doubled", str(paid.id), 6),
        ("missing_here", str(strange.id), 3),
    ]
    assert counts(run) == (5, 1, 0, 4)


def test_a_charge_and_a_refund_are_told_apart_by_their_type(desk: Desk) -> None:
    back = Refund(Row(desk.tenant, finalized_at=at(DAY - timedelta(days=9))))
    desk.put([back])
    run = desk.run(report(line(back), line(back.of), line(back, payment_id=uuid4())))
    assert desk.kinds(run) == [("doubled", str(back.id), 4)]
    run = desk.run(report(line(back, payment_id=uuid4())))
    assert [kind for kind, *_ in desk.kinds(run)] == ["missing_here"], "the refund of another payment is none of ours"


def test_what_stands_here_and_is_in_no_report_is_missing_there(desk: Desk) -> None:
    paid, back = Row(desk.tenant), Refund(Row(desk.tenant, finalized_at=at(DAY - timedelta(days=9))))
    others = [Row(desk.tenant, "DECLINED"), Row(desk.tenant, finalized_at=at(NEXT)), Row(desk.tenant, "PENDING")]
    desk.put([paid, back, *others])
    run = desk.run(report())
    assert desk.kinds(run) == sorted([("missing_there", str(paid.id), None), ("missing_there", str(back.id), None)])
    assert all(found["theirs"] is None for found in desk.findings(run))


def test_another_report_of_the_same_day_is_another_run_and_knows_what_the_first_has_told(desk: Desk) -> None:
    paid = Row(desk.tenant)
    desk.put([paid])
    first, second = desk.run(report(line(paid))), desk.run(report())
    assert first["reconciliation_id"] != second["reconciliation_id"]
    assert counts(second) == (0, 0, 0, 0)


def test_what_is_pending_here_is_left_to_the_next_days_run(desk: Desk) -> None:
    rows = [Row(desk.tenant, "PENDING") for _ in range(4)]
    desk.put(rows)
    fine, still, failed, wrong = rows
    run = desk.run(report(line(fine), line(still), line(failed), line(wrong, amount=1)))
    assert counts(run) == (4, 0, 4, 0)
    for row in (fine, wrong):
        desk.settle(row, "APPROVED", at(NEXT, "00:20:00"))
    desk.settle(failed, "FAILED", at(NEXT))
    run = desk.run(report(), NEXT)
    assert counts(run) == (0, 0, 0, 3)
    assert desk.kinds(run) == sorted(
        [
            ("status_differs", str(still.id), None),
            ("status_differs", str(failed.id), None),
            ("amount_differs", str(wrong.id), None),
        ]
    )
    assert counts(desk.run(report(), NEXT + timedelta(days=1))) == (0, 0, 0, 0), "it was told once"


@pytest.mark.parametrize("clock", ["00:00:00", "00:14:59.999999", "23:45:00", "23:59:59.999999"])
def test_what_is_missing_there_close_to_midnight_may_be_in_the_next_report(desk: Desk, clock: str) -> None:
    told, untold = (Row(desk.tenant, finalized_at=at(DAY, clock)) for _ in range(2))
    desk.put([told, untold])
    assert counts(desk.run(report())) == (0, 0, 2, 0)
    run = desk.run(report(line(told)), NEXT)
    assert counts(run) == (1, 1, 0, 1)
    assert desk.kinds(run) == [("missing_there", str(untold.id), None)]


@pytest.mark.parametrize("clock", ["00:15:00", "23:44:59.999999"])
def test_what_is_missing_there_in_the_midst_of_a_day_is_a_finding_at_once(desk: Desk, clock: str) -> None:
    desk.put([Row(desk.tenant, finalized_at=at(DAY, clock))])
    assert counts(desk.run(report())) == (0, 0, 0, 1)


def test_a_day_that_is_left_out_leaves_what_was_carried_to_the_one_behind_it(desk: Desk) -> None:
    desk.put([Row(desk.tenant, finalized_at=at(DAY, CLOSE))])
    desk.run(report())
    assert counts(desk.run(report(), NEXT + timedelta(days=1))) == (0, 0, 0, 1)


def test_nothing_is_carried_into_a_day_that_is_closed(desk: Desk) -> None:
    late, pending = Row(desk.tenant, finalized_at=at(DAY, CLOSE)), Row(desk.tenant, "PENDING")
    desk.put([late, pending])
    desk.run(report(), NEXT)
    run = desk.run(report(line(pending)))
    assert counts(run) == (1, 0, 0, 2)
    assert [kind for kind, *_ in desk.kinds(run)] == ["missing_there", "status_differs"]


def test_two_reports_of_a_day_carry_the_same_once(desk: Desk) -> None:
    pending = Row(desk.tenant, "PENDING")
    desk.put([pending])
    for lines in ([line(pending)], [line(pending, charge_id=uuid4())]):
        assert counts(desk.run(report(*lines))) == (1, 0, 1, 0)
    assert counts(desk.run(report(), NEXT)) == (0, 0, 0, 1)


def test_lines_of_other_tenants_are_left_out_and_nobodys_are_everybodys(desk: Desk) -> None:
    mine, theirs, of_keys, nobodys = Row(desk.tenant), Row(desk.people.other_tenant), Row(None), Row(desk.tenant)
    desk.put([mine, theirs, of_keys])
    stranger = desk.people.user(role=Role.ADMIN, tenant=desk.people.other_tenant)
    body = report(*map(line, (mine, theirs, of_keys, nobodys)))
    ours, other = desk.run(body), desk.run(body, who=stranger)
    assert counts(ours) == (3, 2, 0, 1), "what the holders of API_KEYS have paid is the default tenant's"
    assert counts(other) == (2, 1, 0, 1)
    assert ours["reconciliation_id"] != other["reconciliation_id"]
    assert desk.get(f"/{ours['reconciliation_id']}", stranger).status_code == 404
    desk.query(
        "UPDATE payments SET tenant_id = %s WHERE id = %s", desk.tenant, of_keys.id
    )  # the next default is another


def test_what_others_have_and_no_report_tells_of_is_none_of_ours(desk: Desk) -> None:
    desk.put([Row(desk.people.other_tenant)])
    assert counts(desk.run(report())) == (0, 0, 0, 0)


def test_the_same_bytes_of_the_same_day_are_the_same_run(desk: Desk) -> None:
    paid = Row(desk.tenant)
    desk.put([paid])
    body = report(line(paid, amount=1))
    first = desk.run(body)
    desk.settle(paid, "FAILED", at(DAY))
    assert desk.run(body) == first, "whatever became of it since"
    assert desk.run(body, NEXT)["reconciliation_id"] != first["reconciliation_id"]


def test_each_run_is_told_once(desk: Desk) -> None:
    desk.put([paid := Row(desk.tenant)])
    run = desk.run(report(line(paid, amount=1)))
    desk.run(report(line(paid, amount=1)))
    rows = desk.query(
        "SELECT type, payload, tenant_id FROM reconciliation.outbox_events WHERE subject = %s", run["reconciliation_id"]
    )
    ((kind, payload, tenant),) = rows
    assert (kind, payload["data"], tenant) == ("reconciliation.completed", run, desk.tenant)
    assert payload["tenantid"] == str(desk.tenant)
    schema = json.loads((ROOT / "docs/reconciliation/schemas/reconciliation.1.json").read_text())
    assert payload["dataschema"] == schema["$id"]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(payload["data"])
    assert set(payload["data"]) == set(schema["properties"]) == set(schema["required"])
