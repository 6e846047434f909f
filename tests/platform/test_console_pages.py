"""Pages over services that are made up here, where the real ones would take long or cannot be had."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.adapters.console.asgi import Console
from app.adapters.console.chart import chart
from app.adapters.console.pages import Pages
from app.adapters.console.routes.dead_letters import SHOWN, _body
from app.adapters.console.services import ConsoleOptions, ConsoleServices
from app.adapters.console.visit import Visit
from app.adapters.console.watch import Seen
from app.adapters.console.work import Work
from app.adapters.http.bodies import BODY_PROBLEM
from app.adapters.http.errors import validation
from app.application.outbox.replay import Replayed
from app.application.ports import TransactionLine, Unavailable
from tests.builders import NOON

KEY = "a-key-of-16-or-more"
ORIGIN = "http://console.test"


class Nothing:
    """Stands for what a test does not use: whatever is asked of it fails."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Slow:
    """A wallet with more entries than can be added up in time."""

    async def standings(self, _: Any) -> Any:
        raise Unavailable("the database did not answer in time")

    async def transactions(self, *_: Any) -> Any:
        return [TransactionLine(uuid4(), "FUNDING", 7, "USD", "COMPLETED", 7, None, None, "<ref>", NOON)]


class Record(list[Any]):
    """Keeps what is recorded, and by whom."""

    def of(self, operator: str) -> Any:
        return SimpleNamespace(record=partial(self._record, operator))

    async def _record(self, *what: Any) -> int:
        self.append(what)
        return len(self)


class Replays:
    """Replays that go on until they are told to stop."""

    async def __call__(
        self, record: Any, since: Any, until: Any, queue: str, dry_run: bool, progress: Any, stop: asyncio.Event
    ) -> Replayed:
        progress(30, 120)
        await stop.wait()
        return Replayed(30, stopped=True)


@asynccontextmanager
async def nothing_to_open() -> AsyncIterator[None]:
    yield


nothing: Any = Nothing()
SERVICES = ConsoleServices(
    look=nothing, breakers=nothing, pulse=nothing, recent=nothing, story=nothing, standings=nothing, reader=nothing,
    queues=["audit.queue"], letters=None, replay=None, gateway=None, log=nothing, record_of=lambda _: nothing,
    lifespan=nothing_to_open,
)  # fmt: skip


@asynccontextmanager
async def browsing(**services: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client that nobody has logged in."""
    console: Any = Console(replace(SERVICES, **services), ConsoleOptions({"alice": KEY}))
    transport = httpx.ASGITransport(app=console)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client


async def log_in(client: httpx.AsyncClient) -> str:
    """Log in; the token of the session's forms."""
    assert (await client.post("/login", data={"key": KEY, "next": "/"})).status_code == 303
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/wallets")).text)
    assert found
    return found[1]


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


@pytest.mark.parametrize("path", ["/dead-letters", "/dead-letters/audit.queue/x", "/replay"])
async def test_without_queues_a_page_says_so(path: str) -> None:
    async with browsing() as client:
        await log_in(client)
        answer = await client.get(path)
    assert answer.status_code == 404
    assert "There are no queues: the broker is inside the relay" in answer.text


async def test_a_gateway_that_is_not_the_mock_is_not_told_how_to_fail() -> None:
    async with browsing() as client:
        token = await log_in(client)
        assert "it is not the mock" in (await client.get("/gateway")).text
        mode = {"mode": "happy", "applies_to": "all", "rate": "100", "latency_ms": "", "charge": "never"}
        assert (await client.post("/gateway", data={"csrf": token, **mode})).status_code == 404


async def test_a_wallet_whose_entries_are_too_many_shows_its_transactions() -> None:
    async with browsing(standings=Slow(), reader=Slow()) as client:
        await log_in(client)
        answer = await client.get(f"/wallets/{uuid4()}")
    assert answer.status_code == 200
    assert "is not shown: the database did not answer in time" in answer.text
    assert "&lt;ref&gt;" in answer.text


async def test_work_is_shown_refused_a_second_time_and_cancelled() -> None:
    asked = {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00", "queue": "audit.queue", "run": "yes"}
    record = Record()
    async with browsing(replay=Replays(), record_of=record.of) as client:
        form = {"csrf": await log_in(client), **asked}
        assert "Nothing was begun" in (await client.get("/job")).text
        assert (await client.post("/replay", data=form)).headers["location"] == "/job"
        await shown(client, "30 of 120, 25 %")
        assert "Replaying into audit.queue" in (await client.get("/wallets")).text  # wherever one is
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

    console: Any = Console(SERVICES, ConsoleOptions({"alice": KEY}))
    async with asyncio.timeout(10):
        await console(scope, receive, send)
    assert sent[0]["status"] == 400
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"took too long" in sent[1]["body"]


def test_books_that_cannot_be_read_are_not_said_to_be_at_rest() -> None:
    seen = Seen(trouble="the database cannot be reached")
    page = Pages(Work()).page(
        "_overview.html", Visit("/", ""), seen=seen, results=[], chart=chart(seen.history)
    ).body.decode()  # fmt: skip
    assert "Payments cannot be counted" in page
    assert page.count("not looked at") == 3  # payments not final, outbox, dead letters
    for comfort in ("nothing waits", "every event is out", "0.0</span> a second"):
        assert comfort not in page


def test_a_small_message_is_not_made_into_a_large_page() -> None:
    assert _body(b'{"a":1}') == '{\n  "a": 1\n}'
    deep = b"[" * 900 + b",".join([b"1"] * 30_000) + b"]" * 900
    assert len(_body(deep)) <= SHOWN
