"""Two who close one day at once, those who sleep over it, and what a day leaves to the next: each is done once."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from app.contexts.reconciliation.domain.finding import Kind
from tests.system.crash.deeds import COMMITTED, later
from tests.system.crash.fragile import Fragile
from tests.system.crash.proxy import Then
from tests.system.crash.reports import AMOUNT, COMMIT, Day, day_with_faults, died, empty_day, told
from tests.system.crash.trade import another_api, insist
from tests.system.e2e.house import LIMIT_S, body

IDLE_S = 60
"""So long the database waits for who sleeps in the midst of a run."""


@pytest.fixture
def day(house: Fragile) -> Day:
    """A day to be closed."""
    return day_with_faults(house)


def test_one_report_that_is_handed_in_at_two_apis_at_once_is_one_run(house: Fragile, day: Day) -> None:
    other = another_api(house)
    with house.postgres.trap(COMMIT, Then.HOLD, COMMITTED) as trap:
        first = day.hand_in_later()
        trap.wait()
        second = day.hand_in_later(other.port)
        house.wait_for_session("strongbox-reconcile", "Lock")
        trap.let_go()
        answers = [first.result(LIMIT_S), second.result(LIMIT_S)]
    known = [answer for answer in answers if answer.status_code != 503]  # 503: held up by this test for too long
    assert {(answer.status_code, answer.content) for answer in known} <= {(201, insist(day.hand_in).content)}
    day.is_closed_once()
    assert house.stop(other.name) == 0


def test_who_waits_for_one_who_dies_closes_the_day(house: Fragile, day: Day) -> None:
    other = another_api(house)
    with house.postgres.trap(COMMIT, Then.HOLD, COMMITTED) as trap:
        first = day.hand_in_later()
        trap.wait()
        second = day.hand_in_later(other.port)
        house.wait_for_session("strongbox-reconcile", "Lock")
        house.kill("api")
        trap.drop()
        died(first)
        answer = second.result(LIMIT_S)
    told_of_it = insist(lambda: day.hand_in(other.port))
    assert answer.status_code == 503 or answer.content == told_of_it.content
    assert house.stop(other.name) == 0
    house.begin("api")
    day.is_closed_once(told_of_it)


def test_two_reports_of_one_day_at_once_are_two_runs_that_take_turns_and_take_what_was_carried_once(
    house: Fragile, day: Day
) -> None:
    second = replace(day, lines=[*day.lines], found=day.found[:-1], takes=0)  # the last is what was carried
    second.tell(str(uuid.uuid4()), Kind.MISSING_HERE)
    second.before = day.after
    other = another_api(house)
    with house.postgres.trap(COMMIT, Then.HOLD, COMMITTED) as trap:
        first = day.hand_in_later()
        trap.wait()
        behind = second.hand_in_later(other.port)
        house.wait_for_session("strongbox-reconcile", "Lock")
        trap.let_go()
        first.result(LIMIT_S)
        behind.result(LIMIT_S)
    day.is_as_it_should_be(body(insist(day.hand_in), 201))
    second.is_closed_once()
    assert house.stop(other.name) == 0


def test_who_sleeps_before_it_begins_finds_the_day_closed(house: Fragile, day: Day) -> None:
    other = another_api(house)
    with house.postgres.trap("strongbox-reconcile: BEGIN", Then.HOLD) as trap:
        first = day.hand_in_later()
        trap.wait()
        with house.paused("api"):
            answer = insist(lambda: day.hand_in(other.port))
            trap.let_go()
        woken = first.result(LIMIT_S)
    assert woken.status_code == 503 or woken.content == answer.content
    assert house.stop(other.name) == 0
    day.is_closed_once(answer)


@pytest.mark.long
def test_who_sleeps_in_the_midst_of_a_run_is_given_up_and_another_closes_the_day(house: Fragile, day: Day) -> None:
    """A minute is what the database waits for it."""
    other = another_api(house)
    with house.postgres.trap(COMMIT, Then.HOLD, COMMITTED) as trap:
        first = day.hand_in_later()
        trap.wait()
        with house.paused("api"):
            answer = insist(lambda: day.hand_in(other.port))
            assert day.kept() == day.after
            trap.let_go()
        assert first.result(IDLE_S + LIMIT_S).status_code == 503
    assert house.stop(other.name) == 0
    day.is_closed_once(answer)


@pytest.mark.parametrize(
    "then",
    [Then.HOLD, pytest.param(Then.SWALLOW_ANSWERS, marks=pytest.mark.long)],
    ids=["before its commit", "behind it"],
)
def test_what_a_run_that_dies_leaves_to_the_next_day_is_left_once_and_taken_once(house: Fragile, then: Then) -> None:
    day = empty_day(house)
    yesterday = replace(day, date=day.date - timedelta(days=1), lines=[], carried=1)
    with house.without("recover"):
        with house.postgres.trap("strongbox-settle: BEGIN", Then.HOLD) as settling:
            paying = later(day.pay)
            settling.wait()
            payment_id = house.payment_id(day.buyer.id)
            yesterday.lines.append(told(payment_id, amount=AMOUNT + 1))
            with house.postgres.trap(COMMIT, then, COMMITTED) as trap:
                first = yesterday.hand_in_later()
                trap.wait() if then is Then.HOLD else trap.wait_for_the_answer()
                house.kill("api")
                trap.drop()
                died(first)
            settling.drop()
            paying.exception(LIMIT_S)
        house.wait_until_rolled_back("strongbox-reconcile")
        assert yesterday.kept() == (yesterday.before if then is Then.HOLD else yesterday.after)
        house.begin("api")
        yesterday.is_as_it_should_be(body(insist(yesterday.hand_in), 201))
        assert yesterday.kept() == yesterday.after
    house.wait_for_status(day.buyer.id, "APPROVED")
    today = replace(day, found=[(Kind.AMOUNT_DIFFERS.value, payment_id, None)], takes=1, before=yesterday.after)
    today.is_closed_once()
