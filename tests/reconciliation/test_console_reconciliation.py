"""The console's pages: days as a calendar, what was found on them, and the note that resolves it."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.contexts.reconciliation.context import RECONCILIATION
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests.consoles import browsing, log_in
from tests.reconciliation.desk import CONTEXTS, DAY, NEXT, Desk, Row, line, report

TENANT = "a <house>"


class Record:
    """What operators are said to have done."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, dict[str, object]]] = []

    def of(self, operator: str) -> Any:
        done = self.done

        class Of:
            async def record(self, action: str, details: dict[str, object]) -> int:
                done.append((operator, action, details))
                return len(done)

        return Of()


@pytest.fixture
def known(desk: Desk) -> Desk:
    """The desk, whose people are of a tenant that operators know."""
    desk.query("DELETE FROM identity.tenants WHERE name = %s", TENANT)
    desk.query(
        "INSERT INTO identity.tenants (id, name, house_user_id) VALUES (%s, %s, gen_random_uuid())", desk.tenant, TENANT
    )
    return desk


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
async def console(module_database: Urls, record: Record) -> AsyncIterator[httpx.AsyncClient]:
    """A client that nobody has logged in, before the pages of reconciliation."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": f"identity,{CONTEXTS}"}))
    assert RECONCILIATION.pages
    pages = RECONCILIATION.pages(house.container("reconciliation"), ())
    async with AsyncExitStack() as stack, browsing(*pages, record_of=record.of) as client:
        for pool in await house.open(stack):
            await pool.wait()
        yield client


MONTH = f"/reconciliation?month={DAY:%Y-%m}&tenant=a+%3Chouse%3E"


async def test_the_calendar_shows_which_days_are_closed(console: httpx.AsyncClient, known: Desk) -> None:
    await log_in(console)
    paid = Row(known.tenant)
    known.put([paid])
    wrong, fine = known.run(report(line(paid, amount=1))), known.run(report(), NEXT)
    page = await console.get(MONTH)
    assert page.status_code == 200
    assert "a &lt;house&gt;" in page.text
    cells = dict(re.findall(r'<td class="day (\S+)"><time datetime="(\S+)">', page.text)[n][::-1] for n in range(30))
    assert (cells[str(DAY)], cells[str(NEXT)], cells["2025-06-01"]) == ("findings", "closed", "open")
    for run in (wrong, fine):
        assert f"/{run['reconciliation_id']}" in page.text
    assert "1 to do" in page.text


async def test_a_day_leads_to_what_is_left_of_any_of_its_reports(console: httpx.AsyncClient, known: Desk) -> None:
    token = await log_in(console)
    paid = Row(known.tenant)
    known.put([paid])
    wrong, right = known.run(report(line(paid, amount=1))), known.run(report(line(paid)))
    page = (await console.get(MONTH)).text
    assert (f"/{wrong['reconciliation_id']}" in page, f"/{right['reconciliation_id']}" in page) == (True, False)
    (finding,) = known.findings(wrong)
    path = f"/reconciliation/a%20%3Chouse%3E/{wrong['reconciliation_id']}/{finding['finding_id']}/resolve"
    assert (await console.post(path, data={"csrf": token, "note": "a typing error"})).status_code == 303
    page = (await console.get(MONTH)).text
    assert (f"/{wrong['reconciliation_id']}" in page, f"/{right['reconciliation_id']}" in page) == (False, True)


async def test_a_finding_says_what_to_do_next_until_it_is_resolved(
    console: httpx.AsyncClient, known: Desk, record: Record
) -> None:
    token = await log_in(console)
    paid = Row(known.tenant)
    known.put([paid])
    run = known.run(report(line(paid, amount=1)))
    (href,) = re.findall(r'href="(/reconciliation/[^"?]+)"', (await console.get(MONTH)).text)
    page = await console.get(href)
    assert page.status_code == 200
    assert str(paid.id) in page.text
    assert "have the gateway correct it" in page.text
    (action,) = re.findall(r'action="([^"]+/resolve)"', page.text)
    answer = await console.post(action, data={"csrf": token, "note": "they <have>"})
    assert answer.status_code == 303, answer.text
    page = await console.get(answer.headers["location"])
    assert "they &lt;have&gt;" in page.text
    assert "/resolve" not in page.text
    assert [(who, what, "note" in details) for who, what, details in record.done] == [
        ("alice", "reconciliation resolve", True),
        ("alice", "reconciliation resolve", False),
    ]
    assert known.findings(run)[0]["note"] == "they <have>"
    assert 'class="day closed"' in (await console.get(MONTH)).text


async def test_findings_are_shown_by_kind_and_page_by_page(console: httpx.AsyncClient, known: Desk) -> None:
    await log_in(console)
    strange = [Row(known.tenant) for _ in range(52)]
    known.put(paid := [Row(known.tenant)])
    run = known.run(report(*map(line, strange), line(paid[0], amount=1)))
    path = f"/reconciliation/a%20%3Chouse%3E/{run['reconciliation_id']}"
    first = await console.get(path, params={"kind": "missing_here"})
    (further,) = re.findall(r'href="([^"]*after=[^"]*)">Further', first.text)
    second = await console.get(further.replace("&amp;", "&"))
    assert [page.text.count('</th>\n<td data-label="Here"') for page in (first, second)] == [50, 2]
    assert "Further" not in second.text
    assert "amount_differs</span>" in (await console.get(path)).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/reconciliation?tenant=nobody", 404),
        ("/reconciliation?month=x", 400),
        ("/reconciliation?month=0001-01", 400),
        ("/reconciliation?month=9999-12", 400),
        ("/reconciliation?a=1", 400),
        ("/reconciliation/nobody/{stranger}", 404),
        ("/reconciliation/default/{stranger}", 404),
        ("/reconciliation/default/x", 400),
        ("/reconciliation/default/{stranger}?kind=odd", 400),
        ("/reconciliation/default/{stranger}?after=odd", 400),
    ],
)
async def test_what_there_is_not_has_a_page_that_says_so(
    console: httpx.AsyncClient, known: Desk, path: str, status: int
) -> None:
    await log_in(console)
    assert (await console.get(path.format(stranger=uuid4()))).status_code == status


@pytest.mark.parametrize("note", ["", "x" * 501])
async def test_a_note_that_is_none_is_refused(console: httpx.AsyncClient, known: Desk, note: str) -> None:
    token = await log_in(console)
    path = f"/reconciliation/default/{uuid4()}/{uuid4()}/resolve"
    assert (await console.post(path, data={"csrf": token, "note": note})).status_code == 400
    assert (await console.post(path, data={"csrf": token, "note": "a note"})).status_code == 404
