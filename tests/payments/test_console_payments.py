"""The console's pages of payments and of the gateway."""

import re
from collections.abc import Sequence
from typing import Any, get_args
from uuid import uuid4

from app.contexts.funds.adapters.console import pages as funds
from app.contexts.funds.application.stories import TellStories
from app.contexts.payments.adapters.console.chart import HEIGHT, WIDTH, chart
from app.contexts.payments.adapters.console.overview import Activity
from app.contexts.payments.adapters.console.pages import TEMPLATES, pages
from app.contexts.payments.application import mock_gateway
from app.contexts.payments.application.activity import SLOTS, Beat, History, Result
from app.contexts.payments.application.recent import RecentPayment
from app.contexts.payments.settings import PaymentsSettings
from app.platform.console.page import Page
from app.platform.console.pages import Pages
from app.platform.console.visit import Visit
from app.platform.console.watch import Seen
from app.platform.console.work import Workbench
from mock_gateway.modes import MODE_NAMES, Mode
from tests.builders import NOON
from tests.consoles import browsing, log_in, nothing


def payments(recent: Any = nothing) -> Sequence[Page]:
    """The pages, over lists that are made up."""
    return pages(nothing, nothing, recent, nothing, nothing, None)


async def test_a_gateway_that_is_not_the_mock_is_not_told_how_to_fail() -> None:
    async with browsing(*payments()) as client:
        token = await log_in(client)
        assert "it is not the mock" in (await client.get("/gateway")).text
        mode = {"mode": "happy", "applies_to": "all", "rate": "100", "latency_ms": "", "charge": "never"}
        assert (await client.post("/gateway", data={"csrf": token, **mode})).status_code == 404


def test_books_that_cannot_be_read_are_not_said_to_be_at_rest() -> None:
    activity = Activity(trouble="the database cannot be reached")
    page = Pages(Workbench(), folders=[TEMPLATES]).page(
        "_overview.html", Visit("/", ""), seen=Seen(), activity=activity, results=[],
        chart=chart(activity.history), without_queues=False,
    ).body.decode()  # fmt: skip
    assert "Payments cannot be counted" in page
    assert page.count("not looked at") == 3  # payments not final, outbox, dead letters
    for comfort in ("nothing waits", "every event is out", "0.0</span> a second"):
        assert comfort not in page


async def test_a_list_of_payments_links_each_and_its_user() -> None:
    payment = RecentPayment(uuid4(), uuid4(), "<ref>", 1_234, "USD", "DECLINED", "NO", NOON, NOON, NOON)

    class Few:
        async def final(self, *_: Any) -> Any:
            return [payment]

        async def pending(self, *_: Any) -> Any:
            return []

    async with browsing(*payments(Few())) as client:
        await log_in(client)
        page = (await client.get("/payments")).text
    assert f'<a class="id" href="/payments/{payment.id}">' in page
    assert f'<a class="id" href="/wallets/{payment.user_id}">' in page
    assert '<span class="badge declined">DECLINED</span>' in page
    assert "1,234 USD" in page
    assert "&lt;ref&gt;" in page


class Nobody:
    """Stories of nothing."""

    async def place_of(self, _: object) -> None:
        return None


async def test_pages_stand_in_the_menu_wherever_they_come_from() -> None:
    stories: Any = Nobody()
    async with browsing(
        *funds.pages(nothing, nothing, nothing, TellStories(stories, nothing), nothing, nothing), *payments()
    ) as client:
        await log_in(client)
        page = (await client.get("/wallets")).text
    menu = ["Overview", "Payments", "Wallets", "Dead letters", "Replay", "Gateway", "Actions"]
    assert re.findall(r"<li><a [^>]*>([^<]+)</a></li>", page) == menu


def test_the_bars_fill_the_picture_and_what_nobody_saw_is_left_open() -> None:
    history = History()
    history.add(Beat(1_001, 1_002, {1_001: {Result.APPROVED: 2, Result.FAILED: 2, Result.REFUSED: 9}}, 0, 0, 0, 0))
    history.add(Beat(1_010, 1_010, {1_010: {Result.DECLINED: 1}}, 0, 0, 0, 0))
    picture = chart(history)
    assert picture.most_per_s == 2
    assert [(block.result, block.height) for block in picture.blocks] == [
        (Result.APPROVED, HEIGHT / 2),
        (Result.FAILED, HEIGHT / 2),
        (Result.DECLINED, HEIGHT / 4),
    ]
    assert sum(width for _, width in picture.unseen) == WIDTH * (SLOTS - 3) / SLOTS
    assert history.payments_per_s == 0.5
    history.add(Beat(1_010 + SLOTS, 1_010 + SLOTS, {}, 0, 0, 0, 0))
    assert (history.totals().total(), history.approved_share) == (0, None)


def test_the_modes_are_those_of_the_mock() -> None:
    assert set(mock_gateway.MODES) == set(MODE_NAMES)
    assert set(mock_gateway.MODES) == set(get_args(PaymentsSettings.__annotations__["mock_gateway_mode"]))
    assert set(mock_gateway.CHARGES) == set(get_args(Mode.__annotations__["charge"]))
