"""The console's page of a wallet's statement: its line, its lines, and what is asked wrongly."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.contexts.funds.adapters.console.balance_chart import HEIGHT, STEPS, WIDTH, chart_of, times_of
from app.contexts.funds.adapters.console.pages import pages
from app.contexts.funds.adapters.postgres.wallets import PostgresWalletReader
from app.contexts.funds.application.past import Question
from app.contexts.funds.application.statement import Statements
from app.contexts.funds.application.stories import TellStories
from app.contexts.payments.adapters.postgres.for_funds import PAYMENT_QUERIES
from app.platform.postgres.reads import SharedReads
from tests.builders import NOON, user_id
from tests.consoles import browsing, log_in, nothing
from tests.funds.moving import Books, send_request
from tests.patience import in_lanes


class Nobody:
    async def place_of(self, _: object) -> None:
        return None


@pytest.fixture
async def console(books: Books) -> AsyncIterator[httpx.AsyncClient]:
    reader = PostgresWalletReader(SharedReads(books.pool), PAYMENT_QUERIES)
    ask = in_lanes(books.past.stood, lambda question: question.user_id, books.pool)
    nobody: Any = Nobody()

    def look_back(question: Question, _: float) -> Any:
        return ask(question)

    made = Statements(look_back, books.past)
    pages_of_funds = pages(reader, nothing, nothing, TellStories(nobody, nothing), look_back, made)
    async with browsing(*pages_of_funds) as client:
        await log_in(client)
        yield client


async def test_a_statement_shows_its_ends_its_lines_and_the_line_between(
    console: httpx.AsyncClient, books: Books
) -> None:
    ada, bob = await books.user(1_000), await books.user(1)
    await books.send([send_request(ada, bob, 300, note="secret"), send_request(bob, ada, 7)])
    until = (datetime.now(UTC) + timedelta(seconds=0)).isoformat().replace("+00:00", "Z")
    page = (await console.get(f"/wallets/{ada}/statement", params={"to": until})).text
    assert re.findall(r"<dd>([^<]+)</dd>", page) == ["0", "3", "707"]
    assert re.findall(r'class="n">([−+]\d[^<]*)<', page) == ["+1,000 USD", "−300 USD", "+7 USD"]
    assert 'aria-label="The balance from 0 to 707, 0 at the least and ' in page
    assert len(re.findall(r"[\d.]+,[\d.]+", re.findall(r'points="([^"]+)"', page)[0])) >= STEPS + 1
    assert "secret" not in page
    (since,) = re.findall(r'id="from"[^>]* value="([^"]+)"', page)
    assert datetime.now(UTC) - datetime.fromisoformat(f"{since}+00:00") < timedelta(days=1), "a young wallet's own age"
    for time in ("2020-01-01T00:00", "0001-01-02T00:00"):
        assert "None." in (await console.get(f"/wallets/{ada}/statement", params={"to": time})).text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"to": "2999-01-01T00:00"}, "To must not be a time to come"),
        ({"from": "2026-01-02T00:00", "to": "2026-01-01T00:00"}, "From must not be later than to"),
        ({"from": "yesterday"}, "From must be a time"),
        ({"currency": "EUR"}, "Currency must be one of USD"),
    ],
)
async def test_what_is_asked_wrongly_is_said(
    console: httpx.AsyncClient, books: Books, query: dict[str, str], says: str
) -> None:
    ada = await books.user(1)
    answer = await console.get(f"/wallets/{ada}/statement", params=query)
    assert (answer.status_code, says in answer.text) == (400, True), answer.text


async def test_without_a_wallet_there_is_no_statement(console: httpx.AsyncClient) -> None:
    assert (await console.get(f"/wallets/{user_id()}/statement")).status_code == 404


def test_the_line_has_steps_and_stays_in_its_picture() -> None:
    chart = chart_of([5, 5, 9, 1])
    assert (chart.least_minor, chart.most_minor) == (1, 9)
    points = [tuple(map(float, point.split(","))) for point in chart.points.split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert all(0 <= x <= WIDTH and 0 < y < HEIGHT for x, y in points)
    assert [y for x, y in points if x == WIDTH] == [2.0, HEIGHT - 2.0], "a fall is upright"
    assert len(set(chart_of([7, 7, 7]).points.split())) == 3
    times = times_of(NOON, NOON + timedelta(hours=2))
    assert (times[0], times[-1], len(times)) == (NOON, NOON + timedelta(hours=2), STEPS + 1)
