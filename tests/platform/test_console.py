"""The console's parts that need no browser: who is logged in, one piece of work at a time, one look for all."""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.kernel.errors import Unavailable
from app.main.contexts import load
from app.platform.console import watch
from app.platform.console.pages import ago
from app.platform.console.sessions import ABSOLUTE_S, GUESSES, GUESSES_S, IDLE_S, MOST, Operators, Sessions
from app.platform.console.watch import Watch
from app.platform.console.work import Busy, Workbench
from app.platform.operations.health import Health, State
from app.platform.process.settings import InvalidSettings

ROOT = Path(__file__).parents[2]
KEY = "k" * 16


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_session_ends_when_nobody_clicks_though_a_page_keeps_itself_up_to_date() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    secret = sessions.begin("alice")
    clock.now_s = IDLE_S - 1
    assert sessions.find(secret, clicked=False)
    clock.now_s = IDLE_S + 1
    assert sessions.find(secret, clicked=False) is None
    assert sessions.find(secret, clicked=True) is None


def test_a_session_ends_after_half_a_day_in_any_case() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    secret = sessions.begin("alice")
    while clock.now_s + IDLE_S < ABSOLUTE_S:
        clock.now_s += IDLE_S
        assert sessions.find(secret, clicked=True)
    clock.now_s = ABSOLUTE_S + 1
    assert sessions.find(secret, clicked=True) is None


def test_sessions_and_guesses_take_no_more_memory_than_that() -> None:
    sessions, operators = Sessions(), Operators({"alice": KEY})
    first, *others = [sessions.begin("alice") for _ in range(MOST + 1)]
    assert sessions.find(first, clicked=True) is None
    assert all(sessions.find(secret, clicked=True) for secret in others)
    for n in range(MOST + 1):
        operators.holder("wrong", f"address {n}")
    assert len(operators._guesses) == MOST


def test_an_address_that_guesses_waits_and_others_do_not() -> None:
    clock = Clock()
    operators = Operators({"alice": KEY, "bob": KEY + "b"}, clock)
    assert [operators.holder(key, "here") for key in (KEY, KEY + "b", "", "ü")] == ["alice", "bob", None, None]
    for _ in range(GUESSES - 2):
        assert operators.wait_s("here") == 0
        operators.holder("wrong", "here")
    assert operators.wait_s("here") == GUESSES_S
    assert operators.wait_s("there") == 0
    clock.now_s = GUESSES_S
    assert operators.wait_s("here") == 0


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("secret-without-a-name", "entry 1 is not name:key"),
        (f":{KEY}", "entry 1 is not name:key"),
        (f"a b:{KEY}", "entry 1 is not name:key"),
        (f"alice:{KEY},bob:short-secret", "the key of bob has less than 16 visible characters"),
        (f"alice:{KEY[1:]} x", "the key of alice"),
        (f"alice:{KEY},alice:{KEY}2", "alice has a second key"),
        (f"alice:{KEY},bob:{KEY}", "bob has a second key, or somebody else's"),
        (",", "holds no key"),
    ],
)
def test_a_key_that_is_none_is_named_by_its_operator_and_not_quoted(keys: str, why: str) -> None:
    with pytest.raises(InvalidSettings, match=f"CONSOLE_KEYS.*{why}") as error:
        load({"CONSOLE_KEYS": keys})
    assert KEY not in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["console.test", "ftp://console.test", "https://console.test/", "https://u@console.test"]
)
def test_where_the_console_is_has_to_be_an_origin(url: str) -> None:
    with pytest.raises(InvalidSettings, match="CONSOLE_URL"):
        load({"CONSOLE_URL": url})


def test_operators_keep_their_colons_and_their_order() -> None:
    assert load({"CONSOLE_KEYS": f" alice:{KEY}:x, bob@house:{KEY}"}).operators == {
        "alice": f"{KEY}:x",
        "bob@house": KEY,
    }
    assert load({"CONSOLE_URL": "https://console.test:8443"}).console_url == "https://console.test:8443"


async def test_one_piece_of_work_is_under_way_at_a_time_and_stops_when_the_console_ends() -> None:
    work, begun = Workbench(), asyncio.Event()

    async def run(progress: Any, stop: asyncio.Event) -> Sequence[str]:
        progress(3, 10)
        begun.set()
        await stop.wait()
        return ["stopped"]

    job = work.begin("long", "alice", run)
    await begun.wait()
    assert (job.under_way, job.percent) == (True, 30)
    with pytest.raises(Busy):
        work.begin("another", "bob", run)
    await work.end(5)
    assert (job.under_way, job.outcome, job.trouble) == (False, ["stopped"], None)
    await work.end(5)


@pytest.mark.parametrize(
    ("error", "told"),
    [(Unavailable("RabbitMQ does not answer"), "RabbitMQ does not answer"), (ValueError("a value"), "its log has it")],
)
async def test_work_that_fails_says_why_without_a_value_of_a_bugs(error: Exception, told: str) -> None:
    work = Workbench()

    async def run(_: Any, __: asyncio.Event) -> Sequence[str]:
        raise error

    job = work.begin("it", "alice", run)
    assert work._task
    await work._task
    assert told in (job.trouble or "")
    assert "a value" not in (job.trouble or "")


async def test_work_that_does_not_stop_is_left_after_the_grace() -> None:
    work = Workbench()

    async def run(_: Any, __: asyncio.Event) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    job = work.begin("it", "alice", run)
    await asyncio.sleep(0)
    await work.end(0.01)
    assert not job.under_way


class Looked:
    """Counts the looks."""

    def __init__(self) -> None:
        self.beats = self.looks = 0

    async def beat(self) -> None:
        self.beats += 1

    async def look(self) -> Mapping[str, Health]:
        self.looks += 1
        return {
            "api": Health(State.DOWN, "x"),
            "broker": Health(State.OK, "x", None, {"q": {"messages": 3}, "r": None}),
        }


async def test_all_who_watch_share_one_look_and_nobody_watching_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FORGOTTEN_AFTER_S", 0.05)
    monkeypatch.setattr(watch, "EVERY_S", 0.01)
    services = Looked()
    watching = Watch(services.look)
    watching.add(services.beat)
    running = asyncio.create_task(watching.run())
    await asyncio.sleep(0.03)
    assert services.beats == 0
    several = await asyncio.gather(*(watching.seen() for _ in range(100)))
    assert services.looks == 1
    assert all(one is several[0] for one in several)
    assert (several[0].wrong, several[0].down, several[0].waiting, several[0].dead) == (1, 1, 3, None)
    async with asyncio.timeout(60):
        while watching._asked.is_set():  # noqa: ASYNC110 -- no event tells that nobody watches
            await asyncio.sleep(0.01)
    count = services.beats
    await asyncio.sleep(0.05)
    assert services.beats == count
    running.cancel()


def test_every_template_and_every_file_of_the_pages_is_packed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    data = project["tool"]["setuptools"]["package-data"]
    files = [file for file in (ROOT / "app").rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")]
    assert len(files) > 15
    left_out = []
    for file in files:
        package = next(folder for folder in file.parents if (folder / "__init__.py").exists())
        name = ".".join(package.relative_to(ROOT).parts)
        if not any(file.relative_to(package).match(pattern) for pattern in (*data["*"], *data.get(name, ()))):
            left_out.append(file)
    assert left_out == []


def test_spans_of_time_are_told_as_people_do() -> None:
    assert [ago(s) for s in (-1, 0.0124, 1.2, 90, 3_599, 86_400, 200_000)] == [
        "0 ms", "12 ms", "1 s", "90 s", "60 min", "24 h", "2 d",
    ]  # fmt: skip
