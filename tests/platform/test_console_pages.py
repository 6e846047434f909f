"""Pages over services that are made up here, where the real ones would take long or cannot be had."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ASGIApp

from app.platform.console.asgi import Console
from app.platform.console.dead_letters import SHOWN, _body
from app.platform.console.desk import Desk
from app.platform.console.page import Page
from app.platform.console.pages import Pages
from app.platform.console.services import ConsoleOptions
from app.platform.console.visit import visit_of
from app.platform.console.work import Workbench
from app.platform.http.bodies import BODY_PROBLEM
from app.platform.http.errors import validation
from app.platform.messaging.replay import Replayed
from tests.consoles import KEY, ORIGIN, SERVICES, browsing, log_in


class Record(list[Any]):
    """Keeps what is recorded, and by whom."""

    def of(self, operator: str) -> Any:
        return SimpleNamespace(record=partial(self._record, operator))

    async def _record(self, *what: Any) -> int:
        self.append(what)
        return len(self)


class Replays:
    """Replays that go on until they are told to stop."""

    async def __call__(self, record: Any, wanted: Any, dry_run: bool, progress: Any, stop: asyncio.Event) -> Replayed:
        progress("into it", 30, 120)
        await stop.wait()
        return Replayed(30, stopped=True)


async def test_who_guesses_has_to_wait_though_the_next_key_is_right() -> None:
    async with browsing() as client:
        statuses = [
            (await client.post("/login", data={"key": f"guess {n}", "next": "/"})).status_code for n in range(6)
        ]
        assert statuses == [401] * 5 + [429]
        answer = await client.post("/login", data={"key": KEY, "next": "/"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("in_process", "why", "what_to_do"),
    [
        (True, "This run has no RabbitMQ, so there are no queues", "install RabbitMQ"),
        (False, "The console was not told where RabbitMQ is", "Set <code>RABBITMQ_URL</code>"),
    ],
)
@pytest.mark.parametrize(("path", "heading"), [("/dead-letters", "Dead letters"), ("/replay", "Replay events")])
async def test_without_queues_a_page_says_why_and_what_to_do(
    path: str, heading: str, in_process: bool, why: str, what_to_do: str
) -> None:
    async with browsing(in_process=in_process) as client:
        await log_in(client)
        answer = await client.get(path)
    assert answer.status_code == 200
    for said in (f"<h1>{heading}</h1>", why, what_to_do):
        assert said in answer.text


async def test_without_queues_there_is_no_dead_letter_and_nothing_is_begun() -> None:
    asked = {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00", "queue": "audit.queue"}
    async with browsing() as client:
        form = {"csrf": await log_in(client), **asked}
        for answer in (
            await client.get("/dead-letters/audit.queue/x"),
            await client.post("/dead-letters/redrive-all", data=form),
            await client.post("/replay", data=form),
        ):
            assert answer.status_code == 404
            assert "There are no queues" in answer.text


async def test_work_is_shown_refused_a_second_time_and_cancelled() -> None:
    asked = {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00", "queue": "audit.queue", "run": "yes"}
    record = Record()
    async with browsing(replay=Replays(), record_of=record.of) as client:
        form = {"csrf": await log_in(client), **asked}
        assert "Nothing was begun" in (await client.get("/job")).text
        assert (await client.post("/replay", data=form)).headers["location"] == "/job"
        await shown(client, "30 of 120, 25 %")
        assert "Replaying into audit.queue" in (await client.get("/none")).text  # wherever one is
        assert (await client.post("/replay", data=form)).status_code == 409
        await client.post("/job/cancel", data=form)
        page = await shown(client, "30 event(s) published into audit.queue")
        await client.post("/job/cancel", data=form)  # nothing is under way any more
    assert "stopped before the end" in page
    assert record == [("alice", "job cancel", {"work": "Replaying into audit.queue", "begun_by": "alice"})]


async def shown(client: httpx.AsyncClient, text: str) -> str:
    """What the page of the work is, once the text is in it."""
    for _ in range(500):
        page = (await client.get("/live/job")).text
        if text in page:
            return page
        await asyncio.sleep(0.01)
    raise AssertionError(f"{text} is not in {page}")


async def test_a_form_that_never_comes_as_a_whole_is_answered_all_the_same() -> None:
    """The server tells that a body is late, or broken, in the scope that it gave; nothing comes after that."""
    headers = {"host": "console.test", "origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    scope: Any = {
        "type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in {**headers, "content-length": "9"}.items()],
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        if BODY_PROBLEM in scope:
            await asyncio.Event().wait()
        scope[BODY_PROBLEM] = validation({"request": "its body took too long to arrive"})
        return {"type": "http.request", "body": b"key", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    console: Any = Console(SERVICES, ConsoleOptions({"alice": KEY}), ())
    async with asyncio.timeout(60):
        await console(scope, receive, send)
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"took too long" in sent[1]["body"]


def test_a_small_message_is_not_made_into_a_large_page() -> None:
    assert _body(b'{"a":1}') == '{\n  "a": 1\n}'
    deep = b"[" * 900 + b",".join([b"1"] * 30_000) + b"]" * 900
    assert len(_body(deep)) <= SHOWN


async def test_pages_are_served_and_shown_in_the_menu_by_being_brought(tmp_path: Path) -> None:
    (tmp_path / "auctions.html").write_text(
        '{% extends "base.html" %}{% block title %}A{% endblock %}{% block main %}<p>{{ name }} sells</p>{% endblock %}'
    )

    class NoAuctionError(Exception):
        pass

    def auctions(desk: Desk) -> Sequence[HTTPRouteHandler]:
        @get("/auctions/{name:str}")
        async def one(request: Request[Any, Any, Any], name: FromPath[str]) -> ASGIApp:
            if name == "none":
                raise NoAuctionError("there is no such auction")
            return desk.pages.page("auctions.html", visit_of(request), name=name)

        return [one]

    page = Page(auctions, "/auctions", "Auctions", 25, tmp_path, (NoAuctionError,))
    async with browsing(page) as client:
        assert (await client.get("/auctions/1")).headers["location"] == "/login?next=/auctions/1"
        await log_in(client)
        answer = await client.get("/auctions/alice")
        assert "<p>alice sells</p>" in answer.text
        menu = ["Auctions", "Dead letters", "Replay", "Actions"]
        assert re.findall(r"<li><a [^>]*>([^<]+)</a></li>", answer.text) == menu
        assert '<a href="/auctions" aria-current="page">' in answer.text
        missing = await client.get("/auctions/none")
    assert missing.status_code == 404
    assert "There is no such auction" in missing.text


async def test_without_a_start_page_the_console_begins_with_the_first_of_its_menu() -> None:
    async with browsing() as client:
        await log_in(client)
        assert (await client.get("/")).headers["location"] == "/dead-letters"


def test_two_pages_do_not_take_each_others_template(tmp_path: Path) -> None:
    (tmp_path / "base.html").touch()
    with pytest.raises(ValueError, match=re.escape("have the same name: base.html")):
        Pages(Workbench(), folders=[tmp_path])
