"""The console's page of the cache: what an operator has forgotten, on record, and what is no key."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from app.kernel.errors import Unavailable
from app.kernel.ids import UserId
from app.kernel.principal import TenantId
from app.platform.cache.ports import OF_NOBODY
from app.platform.cache.told import Told
from app.platform.cache.waiting import Waiting
from app.platform.console.cache import NOBODYS, CacheView, cache
from app.platform.console.page import Page
from app.platform.people import House
from app.platform.tenants import KnownTenants
from tests.consoles import browsing, log_in
from tests.fakes.people import FakePeople
from tests.platform.cache.sharing import Process, Truth, comes, processes
from tests.platform.redis_fixtures import mortal_redis, redis_url
from tests.platform.test_console_pages import Record

__all__ = ["mortal_redis", "redis_url"]

NO_KEYS = ({"key": ""}, {"key": "x" * 257}, {"key": "a\nb"}, {"tenant": "elsewhere"}, {"tenant": ""}, {"more": "x"})


async def ask() -> Mapping[str, Told | None]:
    return {}


async def waiting(_: Sequence[TenantId]) -> Waiting:
    return Waiting(0, 0.0)


@asynccontextmanager
async def page(
    process: Process, truth: Truth, record: Record, *, is_shared: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a console that has this cache, with the truth's tenant as `default`."""
    people = FakePeople()
    people.houses = [House(truth.tenant, UserId(truth.tenant), "default")]
    view = CacheView(ask, waiting, KnownTenants(people.ports), process.cache, is_shared)
    async with browsing(Page(partial(cache, view), "/cache", "Cache"), record_of=record.of) as client:
        yield client


async def test_a_key_and_all_that_match_a_pattern_are_forgotten_everywhere_on_record(redis_url: str) -> None:
    record, truth = Record(), Truth()
    async with processes(redis_url, redis_url) as (api, console), page(console, truth, record) as client:
        csrf = await log_in(client)
        for key, kind in ((truth.key, "The key"), ("product:*", "All keys that match")):
            await api.shares(truth)
            asked = await client.get("/cache/forget", params={"tenant": "default", "key": f" {key} "})
            assert f'{kind} <span class="id">{key}</span> of default' in asked.text
            assert api.level1.get((truth.tenant.int, truth.key)) is not None
            form = {"csrf": csrf, "tenant": "default", "key": key}
            assert (await client.post("/cache/forget", data=form)).headers["location"] == "/cache"

            async def is_forgotten() -> bool:
                return api.level1.get((truth.tenant.int, truth.key)) is None

            await comes(is_forgotten)
    of_the_key, of_all = record[1::2], record[::2]
    assert [what["deleted"] for _, _, what in of_the_key] == [1, 1]
    whats = {"keys": [truth.key]}, {"patterns": ["product:*"]}
    assert of_all == [("alice", "cache forget", {**what, "tenant": "default", "phase": "begins"}) for what in whats]


async def test_of_another_tenant_nothing_is_forgotten(redis_url: str) -> None:
    record, truth = Record(), Truth()
    async with processes(redis_url) as (process,), page(process, truth, record) as client:
        csrf = await log_in(client)
        await process.keeps(truth)
        form = {"csrf": csrf, "tenant": NOBODYS, "key": truth.key}
        assert (await client.post("/cache/forget", data=form)).status_code == 303
        assert process.level1.get((truth.tenant.int, truth.key)) is not None
        assert process.level1.get((OF_NOBODY.int, truth.key)) is None
    assert record[-1][2]["deleted"] == 0


@pytest.mark.parametrize("wrong", NO_KEYS, ids=lambda wrong: " ".join(f"{k}={v[:9]!r}" for k, v in wrong.items()))
async def test_what_is_no_key_of_a_tenant_is_refused_and_not_recorded(redis_url: str, wrong: dict[str, str]) -> None:
    record, given = Record(), {"tenant": "default", "key": "product:1"} | wrong
    async with processes(redis_url) as (process,), page(process, Truth(), record) as client:
        csrf = await log_in(client)
        assert (await client.get("/cache/forget", params=given)).status_code == 400
        if "more" not in wrong:
            assert (await client.post("/cache/forget", data={"csrf": csrf, **given})).status_code == 400
    assert record == []


async def test_where_redis_is_away_it_is_said_and_recorded_that_it_failed(redis_url: str) -> None:
    record, truth, process = Record(), Truth(), Process(redis_url)  # which is not open: it asks nobody
    async with page(process, truth, record) as client:
        form = {"csrf": await log_in(client), "tenant": "default", "key": truth.key}
        answer = await client.post("/cache/forget", data=form)
    assert (answer.status_code, "Redis does not answer" in answer.text) == (503, True)
    assert record[-1][2]["phase"] == "failed"
    assert record[-1][2]["error"] == Unavailable.__name__


async def test_without_a_redis_nothing_can_be_forgotten_from_here(redis_url: str) -> None:
    record = Record()
    async with page(Process(redis_url), Truth(), record, is_shared=False) as client:
        given = {"csrf": await log_in(client), "tenant": "default", "key": "product:1"}
        assert (await client.get("/cache/forget", params={"tenant": "default", "key": "x"})).status_code == 404
        assert (await client.post("/cache/forget", data=given)).status_code == 404
    assert record == []
