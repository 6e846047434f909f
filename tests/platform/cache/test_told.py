"""What operators see of a process's cache: what its metrics say, as a whole and of lately."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.platform.cache.metrics import CacheMetrics, Counts
from app.platform.cache.told import LATELY, History, Told, share, told
from tests.platform.cache.sharing import Process, Truth, comes, processes
from tests.platform.redis_fixtures import redis_url

__all__ = ["redis_url"]


async def flushed(process: Process) -> Told:
    """What it tells once it has told of the reads so far, and hears."""
    seen: list[Told] = []

    async def is_told() -> bool:
        seen[:] = filter(None, [told(process.registry.collect())])
        return not any(process.metrics.of[kind] != Counts() for kind in process.metrics.of) and process.hears

    await comes(is_told)
    return seen[0]


async def test_a_process_tells_of_each_kind_what_it_found_and_where(redis_url: str) -> None:
    async with processes(redis_url, redis_url) as (one, other):
        truth = Truth()
        await one.shares(truth)
        await other.keeps(truth)
        await other.read(truth)
        found = await flushed(other)
        assert found.is_well
        assert (found.breaker, found.hearing, found.unconfirmed, found.evictions) == ("closed", "heard", 0, 0)
        assert found.bytes1 == other.level1.bytes > 0
        of_it = found.kinds["product"]
        assert (of_it.hits1 > 0, of_it.hits2 > 0, of_it.loads, of_it.misses2) == (True, True, 0, 0)
        text = generate_latest(other.registry).decode()
    assert told(text_string_to_metric_families(text)) == found


def test_a_process_without_a_cache_tells_nothing() -> None:
    assert told(CollectorRegistry().collect()) is None


@pytest.mark.parametrize(
    ("breaker", "hearing", "is_well"),
    [("closed", "heard", True), ("closed", "asleep", True), ("closed", "silent", False), ("open", "asleep", False)],
)
def test_who_hears_nothing_though_asked_and_who_leaves_redis_alone_does_without(
    breaker: str, hearing: str, *, is_well: bool
) -> None:
    registry = CollectorRegistry()
    metrics = CacheMetrics(registry)
    metrics.breaker(breaker)  # type: ignore[arg-type]
    metrics.told(hearing, 3)  # type: ignore[arg-type]
    found = told(registry.collect())
    assert found
    assert (found.breaker, found.hearing, found.unconfirmed, found.is_well) == (breaker, hearing, 3, is_well)


def counted(hits: int) -> Told:
    return Told({"product": Counts(hits1=hits, misses1=10)}, 0, "closed", "heard", 0, 0)


def test_lately_is_what_was_counted_since_the_oldest_look_that_is_remembered() -> None:
    history = History()
    assert history.lately_s == 0
    for look in range(LATELY + 5):
        history.add(10.0 * look, counted(look))
    assert history.lately_s == 10.0 * (LATELY - 1)
    assert history.lately("product") == Counts(hits1=LATELY - 1)
    assert history.lately("another") == Counts()


def test_a_process_that_counts_less_than_before_has_begun_anew() -> None:
    history = History()
    for at_s, hits in ((0.0, 50), (10.0, 60), (20.0, 1), (30.0, 4)):
        history.add(at_s, counted(hits))
    assert (history.lately_s, history.lately("product")) == (10.0, Counts(hits1=3))


def test_of_what_nobody_looked_for_there_is_no_share() -> None:
    assert (share(0, 0), share(3, 1), share(0, 2)) == (None, 0.75, 0.0)
