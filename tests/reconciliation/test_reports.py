"""What is a report, and what is none."""

from datetime import date

import pytest

from app.contexts.reconciliation.domain.refusals import NotAReport
from app.contexts.reconciliation.domain.report import HEADER, Report
from tests.api_harness import error
from tests.reconciliation.desk import DAY, Desk, Row, line, report


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_its_day_is_that_of_its_first_line(end: str) -> None:
    text = end.join(
        [HEADER, "charge,a,b,,1,USD,2026-01-31T23:59:59.999999Z", "charge,a,b,,1,USD,2026-02-01T00:00:00Z", ""]
    )
    assert Report([text.encode()]).day == date(2026, 1, 31)
    assert Report(text[nth : nth + 1].encode() for nth in range(len(text))).day == date(2026, 1, 31)


def test_days_are_those_of_utc() -> None:
    text = f"{HEADER}\ncharge,a,b,,1,USD,2026-02-01T01:00:00+02:00\n"
    assert Report([text.encode()]).day == date(2026, 1, 31)


def test_all_of_it_is_there_to_be_read() -> None:
    pieces = [HEADER[:5].encode(), HEADER[5:].encode() + b"\nx\n", b"y\n", b"z"]
    assert b"".join(Report(pieces).pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    "text", ["", "\n", "type,charge_id", f" {HEADER}\n", f"\ufeff{HEADER}\n", f"{HEADER},more\n", HEADER.upper()]
)
def test_what_has_another_header_is_none(text: str) -> None:
    with pytest.raises(NotAReport, match=f"line 1 must be {HEADER}"):
        Report([text.encode()])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "charge",
        "charge,a,b,,1,USD,yesterday",
        'charge,a,"b',
        "\xff",
        "charge,a,b,,1,USD,9999-12-31T23:59:59-23:59",
    ],
)
def test_what_does_not_tell_its_day_has_none(text: str) -> None:
    with pytest.raises(NotAReport):
        _ = Report([f"{HEADER}\n{text}".encode("latin-1")]).day


_PAYMENT = "0193a5b2-7c4e-7d32-9b2c-3d4e5f607182"
_FINE = f"charge,7e1d2c3b-4a59-4687-9605-f4e3d2c1b0a9,{_PAYMENT},,1250,USD,2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (_FINE.replace("charge,", "charges,"), "line 3, type,"),
        (_FINE.replace("7e1d", "xe1d"), "line 3, charge_id,"),
        (_FINE.replace("0193", ""), "line 3, payment_id,"),
        (_FINE.replace(",,1250", ",0193a5b2-7c4e-7d32-9b2c-3d4e5f607182,1250"), "line 3, refund_id,"),
        (_FINE.replace("charge,", "refund,"), "line 3, refund_id,"),
        (_FINE.replace("charge,", "refund,").replace(",,", f",{_PAYMENT},"), "line 3, refund_id,"),
        (_FINE.replace("1250", "0"), "line 3, amount,"),
        (_FINE.replace("1250", "12.5"), "line 3, amount,"),
        (_FINE.replace("1250", "9223372036854775808"), "line 3, amount,"),
        (_FINE.replace("1250", ""), "line 3, amount,"),
        (_FINE.replace("USD", "usd"), "line 3, currency,"),
        (_FINE.replace("USD", ""), "line 3, currency,"),
        (_FINE.replace("2026-01", "2026-13"), "line 3, occurred_at,"),
        (_FINE.replace("2026-01-31T12:00:00Z", "infinity"), "line 3, occurred_at,"),
        (_FINE.replace("2026-01-31T12:00:00Z", ""), "line 3, occurred_at,"),
        (_FINE.replace("2026-01-31T12:00:00Z", "12026-01-31T12:00:00Z"), "line 3, occurred_at,"),
        (_FINE.replace("2026-01-31T12:00:00Z", "0044-03-15 12:00:00 BC"), "line 3, occurred_at,"),
        (_FINE.replace("2026-01-31T12:00:00Z", "9999-12-31T23:59:59-01:00"), "line 3, occurred_at,"),
        (_FINE + ",more", "line 3"),
        ("charge", "line 3"),
        ("", "line 3"),
        ("\\.", "report"),
        (_FINE.replace("USD", '"USD'), "line 5"),  # where the quote has still not ended
        (_FINE.replace("USD", "\xff\xfe"), "line 3"),
        (_FINE.replace("USD", "U\0D"), "line 3"),
    ],
)
def test_a_line_that_is_none_is_told_by_its_number_and_nothing_is_kept(desk: Desk, wrong: str, where: str) -> None:
    body = f"{HEADER}\n{_FINE}\n{wrong}\n{_FINE}\n".encode("latin-1")
    details = error(desk.post(body), 400, "VALIDATION_ERROR")
    assert [*details] == [where], details
    assert desk.get().json()["reconciliations"] == []


def test_what_is_written_otherwise_is_read_the_same(desk: Desk) -> None:
    row = Row(desk.tenant)
    desk.put([row])
    quoted = ",".join(f'"{field}"' for field in line(row, payment_id=str(row.id).upper()).split(","))
    run = desk.run(f"{HEADER}\r\n{quoted}".encode())
    assert (run["lines"], run["matched"]) == (1, 1)


def test_an_empty_body_is_no_report(desk: Desk) -> None:
    assert [*error(desk.post(b""), 400, "VALIDATION_ERROR")] == ["line 1"]


def test_a_day_that_is_to_come_has_no_report(desk: Desk) -> None:
    assert error(desk.post(report(), "9998-01-01"), 400, "VALIDATION_ERROR") == {"date": "is still to come"}


@pytest.mark.parametrize("day", ["", "20250610", "2025-06-31", "2025-W01-1", "today", "2025-06-10T00:00:00Z"])
def test_a_day_that_is_none_is_refused(desk: Desk, day: str) -> None:
    assert [*error(desk.post(report(), day), 400, "VALIDATION_ERROR")] == ["date"]
    assert DAY.isoformat() == "2025-06-10"
