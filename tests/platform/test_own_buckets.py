"""Buckets of one process: how they fill, and that nobody can make them many."""

import time
from math import ceil

import pytest
from prometheus_client import CollectorRegistry

from app.platform.limits.limiter import LimitMetrics, TokenBuckets
from app.platform.limits.own_buckets import OwnBuckets
from app.platform.limits.ports import Refused
from app.platform.process.quotas import Quota, quota


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def taken(buckets: OwnBuckets, key: str, of: Quota, times: int) -> int:
    """How many of so many takes got a token."""
    return sum(buckets.take(key, of) == 0 for _ in range(times))


def test_a_bucket_lets_its_burst_through_and_then_one_for_each_token_that_comes() -> None:
    clock, of = Clock(), Quota(2.0, 5)
    buckets = OwnBuckets(clock=clock)
    assert taken(buckets, "a", of, 10) == 5
    clock.now_s += 0.4
    assert buckets.take("a", of) == pytest.approx(0.1)
    clock.now_s += 0.1
    assert taken(buckets, "a", of, 10) == 1
    clock.now_s += 3600
    assert taken(buckets, "a", of, 10) == 5


def test_a_refusal_takes_nothing_so_that_whoever_keeps_asking_gets_through_at_the_rate() -> None:
    clock, of = Clock(), Quota(1.0, 1)
    buckets = OwnBuckets(clock=clock)
    got = 0
    for _ in range(1000):
        got += buckets.take("a", of) == 0
        clock.now_s += 0.01
    assert got == 10


def test_what_is_given_back_never_lifts_a_bucket_above_its_burst() -> None:
    clock, of = Clock(), Quota(0.001, 3)
    buckets = OwnBuckets(clock=clock)
    assert taken(buckets, "a", of, 1) == 1
    for _ in range(5):
        buckets.give_back("a", of)
    assert taken(buckets, "a", of, 10) == 3
    buckets.give_back("a", of)
    assert taken(buckets, "a", of, 10) == 1


def test_giving_back_makes_no_bucket() -> None:
    buckets = OwnBuckets()
    buckets.give_back("a", Quota(1.0, 1))
    assert len(buckets) == 0


def test_keys_without_end_take_no_memory_without_end_and_the_one_asked_for_longest_ago_goes() -> None:
    of = Quota(0.001, 2)
    buckets = OwnBuckets(most=100)
    assert taken(buckets, "first", of, 2) == 2
    for number in range(99):
        buckets.take(str(number), of)
    assert (len(buckets), taken(buckets, "first", of, 1)) == (100, 0)
    for number in range(100, 1000):
        buckets.take(str(number), of)
    assert (len(buckets), taken(buckets, "first", of, 1)) == (100, 1)


def limits(**texts: str) -> TokenBuckets:
    """Limits of one process."""
    quotas = {name: quota(text) for name, text in texts.items()}
    return TokenBuckets(quotas, LimitMetrics(CollectorRegistry(), is_shared=False))  # type: ignore[arg-type]


async def test_a_refusal_says_how_long_in_whole_seconds_rounded_up_and_never_0() -> None:
    of = limits(login="0.3:2", user="1000:1")
    began = time.monotonic()
    assert [await of.take("login", "a") for _ in range(2)] == [None, None]
    refused = await of.take("login", "a")
    wait_s = 10 / 3 - (time.monotonic() - began)  # at the least, as time brings some of a token
    assert refused in [Refused("login", 2, 7, seconds, seconds) for seconds in range(max(1, ceil(wait_s)), 5)]
    refusals = [await of.take("user", "a") for _ in range(100)]
    assert Refused("user", burst=1, window_s=1, retry_after_s=1, reset_s=1) in refusals


async def test_each_limit_and_each_key_has_a_bucket_of_its_own() -> None:
    of = limits(ip="0.001:1", user="0.001:1")
    assert [await of.take("ip", "a"), await of.take("ip", "b"), await of.take("user", "a")] == [None, None, None]
    assert None not in [await of.take("ip", "a"), await of.take("ip", "b"), await of.take("user", "a")]


async def test_a_limit_that_is_off_or_of_another_name_lets_everything_through() -> None:
    of = limits(ip="off")
    assert {await of.take(name, "a") for name in ("ip", "wallet") for _ in range(1000)} == {None}
    await of.give_back("ip", "a")


async def test_any_text_may_be_a_key() -> None:
    of = limits(ip="0.001:1")
    keys = ["", "\udcff", "a\nb", "ä" * 10_000, "\x00"]
    assert [await of.take("ip", key) for key in keys] == [None] * len(keys)
    assert None not in [await of.take("ip", key) for key in keys]
