"""When an attempt follows another, when nobody is called for a while, and when never again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.contexts.webhooks.adapters.outgoing.calling import seconds_of
from app.contexts.webhooks.domain.delivery import DELAYS_S, MOST_ATTEMPTS, DeliveryStatus, Error, Result, settled
from app.contexts.webhooks.domain.endpoint import Reason, Status, Version, in_force, is_a_type, is_kept_from_all, wants
from app.contexts.webhooks.domain.ids import EndpointId
from app.contexts.webhooks.domain.lane import AT_ONCE, GIVEN_UP_AFTER, STRIKES, Lane

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = EndpointId(UUID(int=1))
GOOD, BAD, AWAY = Result(200), Result(500), Result(error=Error.TIMEOUT)


def test_attempts_follow_each_other_by_the_schedule() -> None:
    waits = [settled(BAD, attempt, 0.0, NOW) for attempt in range(1, MOST_ATTEMPTS + 1)]
    assert [one.next_attempt_at and (one.next_attempt_at - NOW).total_seconds() for one in waits] == [
        5, 30, 120, 600, 3_600, 10_800, 28_800, 57_600, 86_400, None,
    ]  # fmt: skip
    assert {one.status for one in waits[:-1]} == {DeliveryStatus.PENDING}
    assert waits[-1].status is DeliveryStatus.FAILED


@pytest.mark.parametrize("jitter", [-1.0, 1.0])
def test_a_delay_is_a_tenth_more_or_less(jitter: float) -> None:
    found = settled(BAD, 2, jitter, NOW).next_attempt_at
    assert found is not None
    assert (found - NOW).total_seconds() == pytest.approx(30 * (1 + jitter / 10))


@pytest.mark.parametrize(
    ("result", "wait_s"),
    [
        (Result(429, retry_after_s=60.0), 60),
        (Result(503, retry_after_s=60.0), 60),
        (Result(503, retry_after_s=1.0), 5),
        (Result(503, retry_after_s=1e9), 3_600),
        (Result(500, retry_after_s=60.0), 5),
        (Result(503), 5),
    ],
)
def test_retry_after_lengthens_a_wait_up_to_an_hour(result: Result, wait_s: float) -> None:
    found = settled(result, 1, 0.0, NOW).next_attempt_at
    assert found is not None
    assert (found - NOW).total_seconds() == wait_s


def test_a_wait_that_is_longer_stays_as_long() -> None:
    found = settled(Result(503, retry_after_s=3_600.0), 7, 0.0, NOW).next_attempt_at
    assert found is not None
    assert (found - NOW).total_seconds() == DELAYS_S[7]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_any_2xx(status: int) -> None:
    assert settled(Result(status), 3, 0.0, NOW).status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("status", [300, 301, 304, 400, 410, 429, 500])
def test_nothing_else_is_one(status: int) -> None:
    assert settled(Result(status), 3, 0.0, NOW).status is DeliveryStatus.PENDING


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"120", 120.0),
        (b"0", 0.0),
        (b" 7 ", 7.0),
        (b"9" * 40, 1e9),
        (b"-1", None),
        (b"1.5", None),
        (b"soon", None),
        ("\u0661".encode(), None),
        (b"Sat, 31 Jan 1976 12:00:00 GMT", 0.0),
        (b"Sat Jan 31 12:00:00 1976", 0.0),
        (b"", None),
        (b"Mon, 99 Foo 9999 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: bytes, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_retry_after_of_a_date_to_come_is_the_time_until_then() -> None:
    later = datetime.now(UTC) + timedelta(seconds=90)
    found = seconds_of(later.strftime("%a, %d %b %Y %H:%M:%S GMT").encode())
    assert found is not None
    assert 80 < found <= 90


def test_when_nobody_answers_a_few_times_in_a_row_one_at_a_time_is_called_after_a_pause() -> None:
    lane, _ = Lane(ID, is_active=True).after([AWAY] * (STRIKES - 1), NOW)
    assert (lane.room, lane.open_until) == (AT_ONCE, None)
    pauses = []
    for _ in range(8):
        lane, _ = lane.after([AWAY], NOW)
        assert lane.room == 1
        assert lane.open_until is not None
        pauses.append((lane.open_until - NOW).total_seconds())
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("answer", [GOOD, BAD, Result(error=Error.PROTOCOL), Result(error=Error.ADDRESS)])
def test_an_answer_of_any_kind_is_somebody_who_is_there(answer: Result) -> None:
    lane, _ = Lane(ID, is_active=True).after([AWAY] * 20, NOW)
    lane, _ = lane.after([answer], NOW)
    assert (lane.room, lane.open_until) == (AT_ONCE, None)
    lane, _ = lane.after([BAD] * 100, NOW)
    assert lane.room == AT_ONCE, "answers open nothing"


def test_after_72_hours_of_failures_without_a_success_nothing_is_sent_any_more() -> None:
    lane, reason = Lane(ID, is_active=True).after([BAD], NOW)
    assert (lane.failing_since, reason) == (NOW, None)
    lane, reason = lane.after([AWAY], NOW + GIVEN_UP_AFTER - timedelta(seconds=1))
    assert reason is None
    assert lane.after([BAD], NOW + GIVEN_UP_AFTER)[1] is Reason.FAILING
    assert lane.after([BAD, GOOD], NOW + GIVEN_UP_AFTER)[1] is None
    lane, _ = lane.after([GOOD], NOW + GIVEN_UP_AFTER)
    assert lane.failing_since is None


def test_who_says_to_be_gone_is_gone() -> None:
    assert Lane(ID, is_active=True).after([Result(410)], NOW)[1] is Reason.GONE
    assert Lane(ID, is_active=False).after([Result(410)], NOW)[1] is None, "it is disabled already"


def test_types_are_asked_for_by_name_by_first_word_or_all_of_them() -> None:
    assert wants(["payment.completed"], "payment.completed")
    assert not wants(["payment.completed"], "payment.failed")
    assert wants(["order.*"], "order.shipped")
    assert not wants(["order.*"], "orders.shipped")
    assert wants(["x.y", "*"], "anything.whatever")
    good = ["*", "a.b", "user.address_linked", "order.*"]
    bad = ["", "a", "a.", ".b", "*.b", "a.b.c", "A.b", "a.b\n", "a b.c", "**", "a.*b"]
    assert [one for one in [*good, *bad] if is_a_type(one)] == good
    assert is_kept_from_all("hold.placed")
    assert not is_kept_from_all("holding.x")


def test_an_event_goes_by_what_stood_at_its_time() -> None:
    versions = [
        Version(ID, ("a.*",), Status.ACTIVE, NOW), Version(ID, ("b.*",), Status.ACTIVE, NOW + timedelta(hours=1)),
        Version(ID, ("b.*",), Status.DISABLED, NOW + timedelta(hours=2)),
    ]  # fmt: skip
    at = [in_force(versions, NOW + timedelta(minutes=minutes)) for minutes in (-1, 0, 59, 60, 119, 120)]
    assert [one and one.asks_for("a.x") for one in at] == [None, True, True, False, False, False]
    assert [one and one.asks_for("b.x") for one in at] == [None, False, False, True, True, False]
