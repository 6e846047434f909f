"""After SEARCH_LANGUAGE was changed products are found by their words in the new language, once they were reindexed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.contexts.catalog.application.reindex import BATCH, Reindex, Reindexed
from app.contexts.catalog.domain.ids import ProductId
from app.kernel.ids import UserId
from app.kernel.principal import Role, TenantId
from app.main.local.roles import Urls
from app.platform.people import House
from app.platform.tenants import KnownTenants
from tests import forks
from tests.catalog.shop import Shop, open_shop
from tests.catalog.stocking import Stocks
from tests.catalog.test_search import found


class Record(list[Any]):
    """Keeps what is recorded."""

    async def record(self, action: str, details: Any) -> int:
        self.append((action, dict(details)))
        return len(self)


@pytest.fixture
async def german(shop: Shop, module_database: Urls, superuser_url: str) -> AsyncIterator[Shop]:
    """The same shop as a process shows it that is told of another language, and keeps what it has shown."""
    settings = {"SEARCH_LANGUAGE": "german", "CACHE_SOLE_WRITER": "true"}
    async with open_shop(module_database.app_url, superuser_url, **settings) as german:
        german.people.tenant, german.people.other_tenant = shop.people.tenant, shop.people.other_tenant
        names = {"one": shop.people.tenant, "other": shop.people.other_tenant}
        german.people.houses = [House(tenant, UserId(tenant), name) for name, tenant in names.items()]
        yield german


async def reindex(german: Shop, tenant: str | None = "one", *, stopped: bool = False) -> tuple[Reindexed, Record]:
    """What was done, and what is recorded of it."""
    work = Reindex(german.container.reindex().words, KnownTenants(german.people.ports))
    record, stop = Record(), asyncio.Event()
    if stopped:
        stop.set()
    return await work(record, tenant, lambda *_: None, stop), record


async def test_what_has_other_words_in_the_new_language_is_written_anew_and_found_at_once(
    shop: Shop, german: Shop
) -> None:
    houses = await shop.product(title="Häuser", description="am Rand der Städte")
    await shop.product(title="7", description="12")
    hidden = await shop.product(title="Bücher", is_active=False)
    assert [await found(german, text) for text in ("Haus", "stadt")] == [[], []]
    done, record = await reindex(german)
    assert done == Reindexed(products=3, written=2)
    assert [await found(german, text) for text in ("Haus", "stadt")] == [["Häuser"], ["Häuser"]]
    query = "SELECT lexeme FROM catalog.product_lexemes WHERE product_id = %s ORDER BY lexeme"
    assert [lexeme for (lexeme,) in german.rows(query, houses["product_id"])] == ["haus", "rand", "stadt"]
    assert [lexeme for (lexeme,) in german.rows(query, hidden["product_id"])] == ["buch"]
    about = {"tenants": ["one"], "language": "german"}
    assert record[0] == ("products reindex", about | {"phase": "begins"})
    ended = {"phase": "ended", "began_as": 1, "products": 3, "written": 2, "stopped": False}
    assert record[1] == ("products reindex", ended)


async def test_the_same_again_writes_nothing_and_other_tenants_are_left_alone(shop: Shop, german: Shop) -> None:
    await shop.product(title="Häuser")
    theirs = shop.people.user("theirs", role=Role.SELLER, tenant=shop.people.other_tenant)
    await shop.product(theirs, title="Gärten")
    assert (await reindex(german))[0] == Reindexed(products=1, written=1)
    assert (await reindex(german))[0] == Reindexed(products=1, written=0)
    assert (await reindex(german, tenant=None))[0] == Reindexed(products=2, written=1)


async def test_what_was_deleted_stays_away_and_what_is_stopped_writes_nothing(shop: Shop, german: Shop) -> None:
    gone, kept = [await shop.product(title="Häuser") for _ in range(2)]
    assert (await shop.send("DELETE", f"/v1/products/{gone['product_id']}", shop.seller)).status_code == 204
    assert (await reindex(german, stopped=True))[0] == Reindexed(stopped=True)
    assert await found(german, "Haus") == []
    assert (await reindex(german))[0] == Reindexed(products=1, written=1)
    words = german.container.reindex().words
    await words.write(shop.people.tenant, ProductId(UUID(gone["product_id"])))  # it went behind the look
    query = "SELECT DISTINCT product_id::text FROM catalog.product_lexemes WHERE tenant_id = %s"
    assert german.rows(query, shop.people.tenant) == [(kept["product_id"],)]


async def test_batch_by_batch_each_product_is_looked_at_once(stocks: Stocks, shop: Shop, german: Shop) -> None:
    for _ in range(2 * BATCH):
        await stocks.product(1, tenant=shop.people.tenant)
    assert (await reindex(german))[0] == Reindexed(products=2 * BATCH, written=2 * BATCH)
    assert (await reindex(german))[0] == Reindexed(products=2 * BATCH, written=0)


async def test_the_command_says_how_many_it_wrote_and_is_recorded(stocks: Stocks, module_database: Urls) -> None:
    ((default,),) = await stocks.all("SELECT id FROM identity.tenants WHERE name = 'default'")
    product = await stocks.product(1, tenant=TenantId(default))

    def run(*words: str) -> tuple[int, str]:
        environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error"}
        done = forks.run(
            ("app", "products", "reindex", *words), Path.cwd(), environment | {"SEARCH_LANGUAGE": "german"}
        )
        return done.returncode, done.stdout + done.stderr

    code, printed = run("--tenant", "default", "--json")
    assert (code, json.loads(printed)) == (0, {"products": 1, "written": 1, "stopped": False})
    assert run() == (0, "0 of 1 product(s) written anew\n")
    assert run("--tenant", "nowhere") == (1, "Error: there is no tenant 'nowhere'\n")
    query = "SELECT details->>'language' FROM audit.actions WHERE action = 'products reindex' "
    assert {language for (language,) in await stocks.all(query)} >= {"german"}
    assert await stocks.all("SELECT FROM catalog.product_documents WHERE product_id = %s", product) == [()]
