"""The report of a day: what stands at its end, and what a mode makes of it."""

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.mock_gateway.mock_gateway_process import Mock, running

HEADER = ["type", "charge_id", "payment_id", "refund_id", "amount", "currency", "occurred_at"]


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def days() -> list[str]:
    """Today; and yesterday, while it was yesterday when a test may have begun."""
    now = datetime.now(UTC)
    return sorted({(now - timedelta(minutes=5)).date().isoformat(), now.date().isoformat()})


async def report(gateway: Mock, *of: str) -> list[dict[str, str]]:
    """The lines of these days, or of today."""
    rows: list[dict[str, str]] = []
    for day in of or days():
        answer = await gateway.http.get(f"/reports/{day}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv")
        header, *lines = csv.reader(answer.text.splitlines())
        assert header == HEADER
        rows += [dict(zip(HEADER, line, strict=True)) for line in lines]
    return rows


async def refund(gateway: Mock, payment: str, amount: int) -> dict[str, Any]:
    refund_id = str(uuid4())
    body = {"refund_id": refund_id, "amount": amount, "currency": "USD"}
    answer = await gateway.http.post(f"/charges/{payment}/refunds", json=body, headers={"Idempotency-Key": refund_id})
    found: dict[str, Any] = answer.json()
    return found


def by(rows: list[dict[str, str]]) -> Mapping[str, dict[str, str]]:
    return {row["refund_id"] or row["payment_id"]: row for row in rows}


async def test_a_days_report_has_what_stands(gateway: Mock) -> None:
    stands, declined, voided, back = (str(uuid4()) for _ in range(4))
    charged = [(await gateway.charge(one)).json() for one in (stands, voided, back)]
    await gateway.void(voided)
    await gateway.mode("declined")
    await gateway.charge(declined)
    await gateway.mode("happy")
    given, refused = await refund(gateway, back, 250), await refund(gateway, back, 9_999)
    assert (given["status"], refused["status"]) == ("REFUNDED", "REFUSED")
    told = by(await report(gateway))
    assert {*told} == {stands, back, given["refund_id"]}
    row = told[stands]
    assert (row["type"], row["charge_id"], row["refund_id"]) == ("charge", charged[0]["charge_id"], "")
    assert (row["amount"], row["currency"]) == ("1250", "USD")
    assert datetime.fromisoformat(row["occurred_at"]).date().isoformat() in days()
    row = told[given["refund_id"]]
    assert (row["type"], row["charge_id"], row["payment_id"], row["amount"]) == (
        "refund", charged[2]["charge_id"], back, "250",
    )  # fmt: skip


async def test_another_days_has_nothing_of_it(gateway: Mock, payment: str) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    await gateway.charge(payment)
    assert await report(gateway, yesterday.isoformat()) == []


@pytest.mark.parametrize("day", ["9998-01-01", "20260131", "2026-02-30", "today", ""])
async def test_a_day_that_is_none_or_still_to_come_has_no_report(gateway: Mock, day: str) -> None:
    assert (await gateway.http.get(f"/reports/{day}")).status_code == 404


async def test_the_same_report_twice_is_the_same(gateway: Mock) -> None:
    for _ in range(3):
        await gateway.charge(str(uuid4()))
    await gateway.mode("happy", report=["missing", "doubled", "foreign"], rate=0.7, seed="x")
    day = today()
    texts = [(await gateway.http.get(f"/reports/{day}")).text for _ in range(2)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("fault", ["missing", "doubled", "wrong_amount", "wrong_currency", "foreign"])
async def test_a_fault_hits_every_line_and_requests_are_served_as_ever(gateway: Mock, payment: str, fault: str) -> None:
    answer = await gateway.http.put("/admin/mode", json={"report": fault})
    assert (answer.status_code, answer.json()["mode"], answer.json()["report"]) == (200, "happy", fault)
    charge = (await gateway.charge(payment)).json()
    assert (charge["status"], charge["amount"]) == ("APPROVED", 1250)
    rows = await report(gateway)
    told = Counter((row["payment_id"] == payment, row["amount"], row["currency"]) for row in rows)
    assert (
        told
        == {
            "missing": {},
            "doubled": {(True, "1250", "USD"): 2},
            "wrong_amount": {(True, "1251", "USD"): 1},
            "wrong_currency": {(True, "1250", "EUR"): 1},
            "foreign": {(True, "1250", "USD"): 1, (False, "1250", "USD"): 1},
        }[fault]
    )


async def test_a_share_of_the_lines_is_hit_by_one_of_the_faults(gateway: Mock) -> None:
    for _ in range(120):
        await gateway.charge(str(uuid4()))
    right = {row["payment_id"]: row for row in await report(gateway)}
    await gateway.mode("happy", report=["missing", "wrong_amount"], rate=0.5, seed=7)
    shown = {row["payment_id"]: row for row in await report(gateway)}
    missing = right.keys() - shown.keys()
    wrong = {one for one, row in shown.items() if row != right[one]}
    assert 10 < len(missing) < 60
    assert 10 < len(wrong) < 60
    await gateway.mode("happy")
    assert {row["payment_id"]: row for row in await report(gateway)} == right


@pytest.mark.parametrize("mode", [{"report": "odd"}, {"report": []}, {"report": ["missing", 1]}, {"report": None}, {}])
async def test_a_fault_that_there_is_not_is_refused(gateway: Mock, mode: dict[str, Any]) -> None:
    assert (await gateway.http.put("/admin/mode", json=mode)).status_code == 400


async def test_the_journal_keeps_what_the_report_tells(payment: str, tmp_path: Any) -> None:
    settings = {"MOCK_GATEWAY_JOURNAL": str(tmp_path / "journal")}
    voided = str(uuid4())
    async with running(**settings) as gateway:
        await gateway.charge(payment)
        await gateway.charge(voided)
        await gateway.void(voided)
        await refund(gateway, payment, 5)
        before = await report(gateway)
    async with running(**settings) as gateway:
        assert await report(gateway) == before
        assert [row["type"] for row in before] == ["charge", "refund"]
