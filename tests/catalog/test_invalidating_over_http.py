"""POST /internal/cache/invalidate: who may, what it takes, and what it says."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from app.kernel.principal import Role
from app.main.local.roles import Urls
from tests.catalog.shop import Shop, open_shop, refusal
from tests.fakes.people import Somebody
from tests.platform.cache.sharing import comes
from tests.platform.redis_fixtures import redis_url

__all__ = ["redis_url"]

URL = "/internal/cache/invalidate"
WRONG: list[tuple[Any, set[str]]] = [
    ({}, {"keys", "patterns"}),
    ({"keys": ["a"], "patterns": ["b"]}, {"keys", "patterns"}),
    ({"keys": []}, {"keys"}),
    ({"keys": [""]}, {"keys"}),
    ({"keys": ["k"] * 101}, {"keys"}),
    ({"keys": ["k" * 257]}, {"keys"}),
    ({"keys": ["a\nb"]}, {"keys"}),
    ({"keys": "product:*"}, {"keys"}),
    ({"keys": None}, {"keys"}),
    ({"patterns": ["*"] * 11}, {"patterns"}),
    ({"patterns": [7]}, {"patterns"}),
    ({"all": True}, {"all"}),
]


@pytest.fixture
async def market(module_database: Urls, superuser_url: str, redis_url: str) -> AsyncIterator[Shop]:
    """A shop whose cache has a Redis."""
    async with open_shop(module_database.app_url, superuser_url, REDIS_URL=redis_url) as market:
        (opening,) = market.container.platform.openings()
        async with opening.opened():
            yield market


async def ask(market: Shop, who: Somebody | None, body: Any) -> httpx.Response:
    return await market.client.post(URL, json=body, headers=who.bearer if who else {})


async def test_admins_and_machines_with_the_scope_may_and_nobody_else(shop: Shop) -> None:
    body, people = {"keys": ["product:1"]}, shop.people
    for who in (people.user(role=Role.ADMIN), people.machine("cache:invalidate")):
        answer = await ask(shop, who, body)
        assert (answer.status_code, answer.json()) == (200, {"deleted": 0})
    for who in (people.user(role=Role.SELLER), people.user(), people.machine("wallet:receive")):
        refusal(await ask(shop, who, body), 403, "FORBIDDEN")
    refusal(await ask(shop, None, body), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(("body", "named"), WRONG, ids=map(str, range(len(WRONG))))
async def test_it_takes_keys_or_patterns_and_not_too_many(shop: Shop, body: Any, named: set[str]) -> None:
    details = refusal(await ask(shop, shop.people.user(role=Role.ADMIN), body), 400, "VALIDATION_ERROR")
    assert {*details} == named


async def test_what_is_removed_is_counted_and_other_tenants_keep_theirs(market: Shop, redis_url: str) -> None:
    product = await market.product()
    other = market.people.user(role=Role.ADMIN, tenant=market.people.other_tenant)
    admin = market.people.user(role=Role.ADMIN)
    key = f"product:{product['product_id']}"
    async with Redis.from_url(redis_url) as redis:

        async def is_kept() -> bool:
            assert (await market.get(f"/v1/products/{product['product_id']}", admin)).status_code == 200
            return bool(await redis.keys(f"strongbox:cache:*:v:*:{key}"))

        for body in ({"keys": [key, "product:none"]}, {"patterns": ["prod*:*", "nothing*"]}):
            await comes(is_kept)
            assert (await ask(market, other, body)).json() == {"deleted": 0}
            assert (await ask(market, admin, body)).json() == {"deleted": 1}


async def test_where_redis_does_not_confirm_it_the_answer_says_so(module_database: Urls, superuser_url: str) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    async with open_shop(module_database.app_url, superuser_url, REDIS_URL=nowhere) as market:
        admin = market.people.user(role=Role.ADMIN)
        for body in ({"keys": ["product:1"]}, {"patterns": ["*"]}):
            refusal(await ask(market, admin, body), 503, "UNAVAILABLE")
