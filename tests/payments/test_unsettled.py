"""Settlements that the database did not take, and the rounds of tasks that must not end."""

import asyncio
from collections.abc import Callable

import psycopg
import pytest
from structlog.testing import capture_logs

from app.contexts.payments.adapters.logging.unsettled import UnsettledLines
from app.contexts.payments.application import unsettled
from app.contexts.payments.application.results import Answered
from app.contexts.payments.application.settle import Marked, Settlement
from app.contexts.payments.application.unsettled import Unsettled
from app.contexts.payments.domain.outcome import Approved
from app.kernel.errors import Unavailable
from app.platform.idempotency.keys import Answer
from app.platform.process import rounds
from app.platform.process.rounds import Rounds
from tests.builders import payment

DONE = Answered(Answer(201, b"{}"))


class Database:
    """Settles, or fails as planned: the first attempts the first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked: list[Settlement] = []

    async def settle(self, settlement: Settlement) -> Answered | Marked:
        self.asked.append(settlement)
        if self.failures:
            raise self.failures.pop(0)
        return DONE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsettled, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(unsettled, "LONGEST_WAIT_S", 0.002)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.001)


def a_settlement() -> Settlement:
    return Settlement(payment(), Approved())


async def test_what_the_database_takes_is_not_kept() -> None:
    database = Database()
    settling = Unsettled(database.settle, 60, UnsettledLines())
    assert await settling.settle(a_settlement()) is DONE
    assert (len(settling), len(database.asked)) == (0, 1)


async def test_what_it_does_not_take_is_told_at_once_and_written_later() -> None:
    database, one = Database(*(Unavailable("away") for _ in range(3))), a_settlement()
    settling = Unsettled(database.settle, 60, UnsettledLines())
    with pytest.raises(Unavailable):
        await settling.settle(one)
    assert len(settling) == 1
    await until(lambda: not len(settling))
    assert database.asked == [one] * 4


async def test_one_that_keeps_failing_holds_up_no_other() -> None:
    class Odd(Database):
        async def settle(self, settlement: Settlement) -> Answered | Marked:
            if settlement is held:
                raise Unavailable("held")
            return await super().settle(settlement)

    held, *others = [a_settlement() for _ in range(4)]
    database = Odd(*(Unavailable("away") for _ in others))
    settling = Unsettled(database.settle, 60, UnsettledLines())
    for settlement in (held, *others):
        with pytest.raises(Unavailable):
            await settling.settle(settlement)
    await until(lambda: len(settling) == 1)
    assert len(database.asked) == 6
    await settling.end()


async def test_a_bug_drops_its_settlement_and_is_told() -> None:
    database = Database(Unavailable("away"), KeyError("a value"))
    settling = Unsettled(database.settle, 60, UnsettledLines())
    with capture_logs() as said, pytest.raises(Unavailable):
        await settling.settle(a_settlement())
    with capture_logs() as said:
        await until(lambda: not len(settling))
    assert {"event": "settlement_fails", "error": "builtins.KeyError", "log_level": "error"} in said


async def test_what_is_kept_is_bounded_in_number_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsettled, "MOST", 2)
    database = Database(*(Unavailable("away") for _ in range(1_000)))
    settling = Unsettled(database.settle, 0.02, UnsettledLines())
    for _ in range(3):
        with pytest.raises(Unavailable):
            await settling.settle(a_settlement())
    assert len(settling) == 2
    await until(lambda: not len(settling))
    assert database.failures, "given up while the database was away"


async def test_at_the_end_of_the_process_nothing_is_kept_or_tried() -> None:
    database = Database(*(Unavailable("away") for _ in range(1_000)))
    settling = Unsettled(database.settle, 60, UnsettledLines())
    with pytest.raises(Unavailable):
        await settling.settle(a_settlement())
    with capture_logs() as said:
        await settling.end()
    assert [(line["event"], line["payments"]) for line in said] == [("settlements_left_to_recovery", 1)]
    asked = len(database.asked)
    with pytest.raises(Unavailable):
        await settling.settle(a_settlement())
    assert (len(settling), len(database.asked)) == (1, asked + 1)


def test_a_round_that_a_bug_ends_is_told_of_loudly_each_time_and_without_its_words() -> None:
    task, words = Rounds("recovery"), " ".join(("a", "value"))
    with capture_logs() as said:
        for _ in range(2):
            with task.survived():
                raise psycopg.errors.InsufficientPrivilege(words)
    assert [(line["log_level"], line["event"], line["failures"]) for line in said] == [
        ("error", "task_fails", 1),
        ("error", "task_fails", 2),
    ]
    assert (said[0]["error"], said[0]["sqlstate"]) == ("psycopg.errors.InsufficientPrivilege", "42501")
    assert words not in str(said)


def test_the_rounds_wait_longer_each_time_up_to_a_limit_and_as_ever_once_one_ends_well() -> None:
    task, waits = Rounds("recovery"), list[float]()
    for _ in range(5):
        with task.survived():
            raise KeyError
        waits.append(task.wait_s(1))
    assert waits == [1, 2, 4, rounds.LONGEST_WAIT_S, rounds.LONGEST_WAIT_S]
    assert task.wait_s(60) == 60
    with capture_logs() as said, task.survived():
        pass
    assert (task.wait_s(1), said[0]["event"], said[0]["failures"]) == (1, "task_resumes", 5)


def test_a_neighbour_that_is_away_is_told_of_once_and_looked_for_as_often_as_ever() -> None:
    task = Rounds("recovery")
    with capture_logs() as said:
        for reason in ("PoolTimeout", "PoolTimeout", "DiskFull"):
            with task.survived():
                raise Unavailable(reason)
    assert [(line["log_level"], line["reason"]) for line in said] == [
        ("warning", "PoolTimeout"),
        ("warning", "DiskFull"),
    ]
    assert task.wait_s(1) == 1
