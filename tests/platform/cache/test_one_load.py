"""One load a place at a time, in a process without Redis: for whoever waits, and whoever goes."""

import asyncio
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from app.kernel.principal import TenantId
from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess
from app.platform.cache.making import Constant, make
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.ports import Cache, Kept, Kind
from app.platform.process.settings import PlatformSettings

TENANT, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))
KIND: Kind[int] = Kind("product", int, (60.0, 300.0))


class Loading:
    """A load that goes on until it is let go."""

    def __init__(self) -> None:
        self.loads = 0
        self.go = asyncio.Event()
        self.fails = False

    async def __call__(self) -> int:
        self.loads += 1
        mine = self.loads
        await self.go.wait()
        if self.fails:
            raise LookupError("not there")
        return mine


def cache(registry: CollectorRegistry | None = None, *, is_sole: bool = True) -> Cache:
    settings = PlatformSettings(cache_sole_writer=is_sole)
    return make(settings, registry or CollectorRegistry(), None, [])


async def waiting(of: Cache, load: Loading, count: int) -> list[asyncio.Task[int]]:
    """So many who wait for one load."""
    tasks = [asyncio.create_task(of.get(TENANT, KIND, "1", load)) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize("is_sole", [True, False])
async def test_five_hundred_who_ask_at_once_wait_for_one_load(is_sole: bool) -> None:
    load, of = Loading(), cache(is_sole=is_sole)
    tasks = await waiting(of, load, 500)
    load.go.set()
    assert {*await asyncio.gather(*tasks)} == {1}
    assert await of.get(TENANT, KIND, "1", load) == (1 if is_sole else 2)


async def test_whoever_is_cancelled_leaves_the_others_their_load() -> None:
    load, of = Loading(), cache()
    first, *others = await waiting(of, load, 3)
    first.cancel()
    load.go.set()
    assert await asyncio.gather(*others) == [1, 1]
    assert first.cancelled()


async def test_a_load_that_fails_does_so_for_all_who_waited_and_is_not_kept() -> None:
    load, of = Loading(), cache()
    load.fails = True
    tasks = await waiting(of, load, 3)
    load.go.set()
    for task in tasks:
        with pytest.raises(LookupError):
            await task
    load.fails = False
    assert await of.get(TENANT, KIND, "1", load) == 2


async def test_whoever_comes_after_a_deletion_does_not_get_what_was_begun_before_it() -> None:
    load, of = Loading(), cache()
    (before,) = await waiting(of, load, 1)
    assert await of.delete(TENANT, [KIND.key("1")])
    (after,) = await waiting(of, load, 1)
    load.go.set()
    assert [await before, await after, await of.get(TENANT, KIND, "1", load)] == [1, 2, 2]


async def test_another_tenants_key_of_the_same_name_is_another() -> None:
    load, of = Loading(), cache()
    load.go.set()
    assert [await of.get(tenant, KIND, "1", load) for tenant in (TENANT, OTHER, TENANT)] == [1, 2, 1]
    assert await of.delete_matching(OTHER, ["*"]) == 0
    assert [await of.get(tenant, KIND, "1", load) for tenant in (TENANT, OTHER)] == [1, 3]


async def test_what_the_process_keeps_is_at_hand_until_it_is_forgotten() -> None:
    of, load = cache(), Loading()
    load.go.set()
    assert of.at_hand(TENANT, KIND, "1") is None
    await of.get(TENANT, KIND, "1", load)
    assert [of.at_hand(tenant, KIND, "1") for tenant in (TENANT, OTHER)] == [Kept(1), None]
    await of.delete(TENANT, [KIND.key("1")])
    assert of.at_hand(TENANT, KIND, "1") is None


async def test_that_something_is_not_there_is_at_hand_too() -> None:
    async def nothing() -> None:
        return None

    of = cache()
    perhaps: Kind[int | None] = Kind("product", int | None, (60.0, 300.0))
    await of.get(TENANT, perhaps, "1", nothing)
    assert of.at_hand(TENANT, perhaps, "1") == Kept(None)


async def test_nothing_is_at_hand_where_nobody_knows_what_others_have_written() -> None:
    of, load = (
        TwoLevels(InProcess(1_000_000), Constant(is_fresh=False), None, CacheMetrics(CollectorRegistry())),
        Loading(),
    )
    load.go.set()
    await of.get(TENANT, KIND, "1", load)
    assert of.at_hand(TENANT, KIND, "1") is None


async def test_hits_misses_and_loads_are_counted() -> None:
    registry, openings = CollectorRegistry(), []  # type: ignore[var-annotated]
    of, load = make(PlatformSettings(cache_sole_writer=True), registry, None, openings), Loading()
    load.go.set()
    async with openings[0].opened():
        for _ in range(4):
            await of.get(TENANT, KIND, "1", load)
            of.at_hand(TENANT, KIND, "1"), of.at_hand(TENANT, KIND, "2")
    told = generate_latest(registry).decode()
    of_it = '{kind="product",level="1"}'
    for line in (
        f"hits_total{of_it} 7.0", f"misses_total{of_it} 1.0", 'loads_total{kind="product"} 1.0', 'bytes{level="1"} ',
    ):  # fmt: skip
        assert f"strongbox_cache_{line}" in told


async def test_who_waits_for_anothers_load_and_what_comes_too_late_is_counted_by_its_kind() -> None:
    registry, openings = CollectorRegistry(), []  # type: ignore[var-annotated]
    of, load = make(PlatformSettings(cache_sole_writer=True), registry, None, openings), Loading()
    async with openings[0].opened():
        tasks = await waiting(of, load, 3)
        await of.delete(TENANT, [KIND.key("1")])
        load.go.set()
        await asyncio.gather(*tasks)
    told = generate_latest(registry).decode()
    assert 'strongbox_cache_joins_total{kind="product"} 2.0' in told
    assert 'strongbox_cache_late_writes_total{kind="product",level="1"} 1.0' in told
    assert 'strongbox_cache_hits_total{kind="product",level="2"} 0.0' in told, "what has not happened is no unknown"
