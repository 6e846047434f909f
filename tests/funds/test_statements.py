"""Statements: from one end to the other, page by page, and never ended where they do not add up."""

from datetime import timedelta
from typing import Any

import pytest

from app.contexts.funds.application.statement import LINES_AT_A_TIME, NotWhole, Statements
from app.contexts.funds.domain.operation import Part
from app.contexts.funds.domain.refusals import TimeToCome
from tests.builders import NOON, USD
from tests.funds.looking_back import now, statements
from tests.funds.moving import Books, send_request


async def test_a_statement_leads_from_one_end_to_the_other(books: Books) -> None:
    ada, bob = await books.user(2_000), await books.user(10)
    since = await now(books)
    for _ in range(3):
        await books.send([send_request(ada, bob, 1) for _ in range(120)])
    middle = await now(books)
    await books.desk.capture(await books.hold(ada, 50), [Part(bob, 20)])
    made, by = statements(books), float("inf")
    until = await now(books)
    whole = await made.open(ada, USD, since, until, by)
    halves = [await made.open(ada, USD, since, middle, by), await made.open(ada, USD, middle, until, by)]
    assert (whole.opening_minor, whole.closing_minor) == (2_000, 1_620)
    assert halves[0].closing_minor == halves[1].opening_minor == 1_640
    lines = {one: [line async for page in made.pages(one) for line in page] for one in (whole, *halves)}
    assert len(lines[whole]) == 360 + 2  # what is captured moves no wallet of its owner's
    assert lines[whole] == [*lines[halves[0]], *lines[halves[1]]]
    assert await made.largest_minor(whole) == 2_000
    empty = await made.open(ada, USD, until, until, by)
    assert [page async for page in made.pages(empty)] == []


async def test_a_statement_of_many_lines_is_read_in_pages(books: Books) -> None:
    ada, bob = await books.user(5_000), await books.user()
    for _ in range(LINES_AT_A_TIME // 125 + 1):
        await books.send([send_request(ada, bob, 1) for _ in range(125)])
    made = statements(books)
    whole = await made.open(bob, USD, NOON, await now(books), float("inf"))
    pages = [len(page) async for page in made.pages(whole)]
    assert pages == [LINES_AT_A_TIME, 125]


async def test_a_statement_that_does_not_add_up_is_not_ended(books: Books) -> None:
    ada = await books.user(100)
    made = statements(books)
    whole = await made.open(ada, USD, NOON, await now(books), float("inf"))

    class Wrong:
        async def lines(self, *asked: Any) -> Any:
            (line,) = await books.past.lines(*asked)
            return [line._replace(amount=99)]

        async def largest_minor(self, *_: Any) -> int:
            return 0

    wrong = Statements(made._look_back, Wrong())
    with pytest.raises(NotWhole):
        assert [page async for page in wrong.pages(whole)]


async def test_of_a_time_to_come_nothing_is_told(books: Books) -> None:
    ada = await books.user(100)
    with pytest.raises(TimeToCome):
        await statements(books).open(ada, USD, NOON, await now(books) + timedelta(minutes=5), float("inf"))
