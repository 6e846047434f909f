"""A product's stock as operators see it: the console's page, the search that leads there, and the command."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from app.contexts.catalog.adapters.postgres import stock_records
from app.contexts.catalog.context import CATALOG
from app.contexts.catalog.public import ProductId
from app.kernel.principal import TenantId
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests import forks
from tests.builders import user_id
from tests.catalog.stocking import MANY, Stocks, lines, operation
from tests.consoles import browsing, log_in


@pytest.fixture
async def house(module_database: Urls) -> AsyncIterator[House]:
    """The catalogue, and who knows the tenants."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": "identity,catalog"}))
    assert house.people is not None
    house.container("catalog")
    async with AsyncExitStack() as stack:
        await house.open(stack)
        yield house


@pytest.fixture
async def tenant(house: House) -> TenantId:
    """The tenant of the beginning."""
    assert house.people is not None
    return (await house.people.directory.tenants())[0].tenant_id


@pytest.fixture
async def elsewhere(stocks: Stocks) -> TenantId:
    """Another tenant, there before a process asks which there are."""
    ((tenant_id,),) = await stocks.all(
        "INSERT INTO identity.tenants (id, name, house_user_id)"
        " VALUES (gen_random_uuid(), 'elsewhere', gen_random_uuid()) RETURNING id"
    )
    return TenantId(tenant_id)


@pytest.fixture
async def console(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the catalogue's pages."""
    assert CATALOG.pages
    async with browsing(*CATALOG.pages(house.container("catalog"), ())) as client:
        await log_in(client)
        yield client


async def set_reserved(stocks: Stocks, product: ProductId, reserved: int) -> None:
    """Write into the product's row what its reservations do not say."""
    await stocks.all("UPDATE catalog.products SET reserved = %s WHERE id = %s RETURNING id", reserved, product)


def shown(page: httpx.Response, section: str) -> list[dict[str, str]]:
    """The rows of a section's table, by their columns."""
    assert page.status_code == 200, page.text
    table = page.text.partition(f'<section class="panel" aria-labelledby="{section}">')[2].partition("</section>")[0]
    rows = table.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    cells = [re.findall(r'data-label="([^"]+)"[^>]*>(.*?)</t[dh]>', row) for row in rows]
    return [{name: re.sub("<[^>]+>", "", value) for name, value in row} for row in cells]


def facts(page: httpx.Response) -> dict[str, str]:
    """What stands at the top."""
    found = re.findall(r"<dt>([^<]+)</dt><dd[^>]*>(.*?)</dd>", page.text)
    return {name: " ".join(re.sub("<[^>]+>", "", value).split()) for name, value in found}


async def test_a_products_page_shows_who_reserved_took_and_gave_back_what(
    console: httpx.AsyncClient, stocks: Stocks, tenant: TenantId
) -> None:
    product, buyer = await stocks.product(10, tenant=tenant), user_id()
    held, taken, returned = operation(), operation(), operation("pin")
    for of, qty in ((held, 2), (taken, 3)):
        await stocks.desk.reserve(of, tenant, buyer, lines({product: qty}))
    await stocks.desk.reserve(returned, tenant, None, lines({product: 1}), pinned=True)
    await stocks.desk.take(tenant, taken)
    await stocks.desk.give_back(tenant, returned)
    page = await console.get(f"/products/{product}")
    told = facts(page)
    figures = {name: told[name] for name in ("Left", "Reserved of it", "Available", "Sold", "Reservations say")}
    assert figures == {
        "Left": "7",
        "Reserved of it": "2",
        "Available": "5",
        "Sold": "3 of 10 put in",
        "Reservations say": "2 reserved ok",
    }
    (reserved,) = shown(page, "t-reserved")
    assert (reserved["Business"], reserved["Pieces"], reserved["For"]) == (str(held.business_id), "2", str(buyer))
    by_business = {row["Business"]: row for row in shown(page, "t-lines")}
    statuses = {business: (row["By"], row["Status"]) for business, row in by_business.items()}
    assert statuses == {
        str(held.business_id): ("market, reserve", "RESERVED"),
        str(taken.business_id): ("market, reserve", "TAKEN"),
        str(returned.business_id): ("market, pin, pinned", "RETURNED"),
    }
    assert by_business[str(returned.business_id)]["For"] == "nobody yet"


async def test_a_product_that_does_not_agree_with_its_reservations_is_said_to_be_broken(
    console: httpx.AsyncClient, stocks: Stocks, tenant: TenantId
) -> None:
    product = await stocks.product(5, tenant=tenant)
    await set_reserved(stocks, product, 1)
    assert facts(await console.get(f"/products/{product}"))["Reservations say"] == "0 reserved broken"
    await set_reserved(stocks, product, 0)


async def test_the_search_leads_to_products_of_every_tenant(
    elsewhere: TenantId, console: httpx.AsyncClient, stocks: Stocks, tenant: TenantId
) -> None:
    for whose in (tenant, elsewhere):
        product = await stocks.product(1, tenant=whose)
        answer = await console.get(f"/search?id={str(product).upper()}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/products/{product}")
        assert facts(await console.get(f"/products/{product}"))["Tenant"] == str(whose)
    assert (await console.get(f"/search?id={uuid4()}")).status_code == 404


async def test_all_reservations_are_shown_page_by_page_each_once(
    console: httpx.AsyncClient, stocks: Stocks, tenant: TenantId
) -> None:
    product, business = await stocks.product(200, tenant=tenant), UUID(int=2**127)
    made = [operation(), *(operation(f"step{n}", business) for n in range(60)), *(operation() for _ in range(50))]
    for of in made:
        await stocks.desk.reserve(of, tenant, None, lines({product: 1}))
    seen, path = list[tuple[str, str]](), f"/products/{product}"
    while path:
        page = await console.get(path)
        seen += [(row["Business"], row["By"]) for row in shown(page, "t-lines")]
        older = re.search(r'<a href="([^"]+)">Older</a>', page.text)
        path = older[1] if older else ""
    assert len(seen) == len(made)
    assert set(seen) == {(str(of.business_id), f"market, {of.name}") for of in made}
    assert [business for business, _ in seen] == sorted((business for business, _ in seen), reverse=True)


@pytest.mark.parametrize(("given", "status"), [("7", 400), ("%00", 400), ("01890a5d-ac96-774b-bcce-b302099a8057", 404)])
async def test_what_is_no_id_or_of_nothing_is_said_so(console: httpx.AsyncClient, given: str, status: int) -> None:
    assert (await console.get(f"/products/{given}")).status_code == status


@pytest.mark.parametrize("place", ["7", "7_market_reserve", f"{UUID(int=7)}", f"{UUID(int=7)}_market"])
async def test_a_place_that_is_none_is_said_so(console: httpx.AsyncClient, place: str) -> None:
    answer = await console.get(f"/products/{UUID(int=7)}", params={"before": place})
    assert (answer.status_code, "efore must be" in answer.text) == (400, True)


async def test_the_command_shows_the_same_and_says_by_its_exit_code_whether_it_agrees(
    stocks: Stocks, tenant: TenantId, module_database: Urls
) -> None:
    product, of, buyer = await stocks.product(10, tenant=tenant), operation(), user_id()
    await stocks.desk.reserve(of, tenant, buyer, lines({product: 4}))

    def run(*words: str) -> tuple[int, str]:
        environment = {"DATABASE_URL": module_database.app_url, "PATH": "", "LOG_LEVEL": "error"}
        done = forks.run(("app", "stock", "show", *words), Path.cwd(), environment)
        return done.returncode, done.stdout + done.stderr

    code, printed = run(str(product))
    assert (code, str(of.business_id) in printed, str(buyer) in printed) == (0, True, True)
    code, printed = run(str(product), "--tenant", "default", "--json")
    told: dict[str, Any] = json.loads(printed)
    assert (code, told["agree"], told["product"]["available"], told["product"]["reserved"]) == (0, True, 6, 4)
    assert [(each["context"], each["qty"], each["status"]) for each in told["reservations"]] == [
        ("market", 4, "RESERVED")
    ]
    assert run(str(product), "--tenant", "nowhere") == (1, "Error: there is no tenant 'nowhere'\n")
    assert run(str(uuid4()))[0] == 1
    await set_reserved(stocks, product, 5)
    code, printed = run(str(product))
    assert (code, "BROKEN" in printed) == (1, True)
    await set_reserved(stocks, product, 4)


async def test_a_products_reservations_are_found_by_index_among_very_many(
    stocks: Stocks, tenant: TenantId, module_database: Urls
) -> None:
    product, old = await stocks.product(10, tenant=tenant), operation()
    await stocks.settle_many(tenant, product, "TAKEN")
    sold = "UPDATE catalog.products SET sold = %s, put_in = quantity + %s WHERE id = %s RETURNING id"
    await stocks.all(sold, MANY, MANY, product)
    known = {"tenant_id": tenant, "id": product, "bucket": product.int % 16, "most": 51}
    place = {"before": old.business_id, "context": old.context, "name": old.name}
    for statement in (stock_records.RESERVED, stock_records.LINES, stock_records.OLDER, stock_records.PRODUCT):
        plan = explained(module_database.app_url, statement, {**known, **place})
        assert "Seq Scan" not in plan, plan
        assert rows_of(plan) < MANY / 10, plan


def explained(url: str, statement: str, known: dict[str, Any]) -> str:
    """The plan of a statement with what became of it, as the services' role has it."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.current_tenant', %(tenant_id)s::text, true)", known)
        rows = connection.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}".encode(), known).fetchall()
    return "\n".join(line for (line,) in rows)


def rows_of(plan: str) -> int:
    """The most rows that a step of the plan has seen, those that it left out included."""
    seen = re.findall(r"actual rows=([\d.]+)", plan) + re.findall(r"Rows Removed by \w+: (\d+)", plan)
    return max(int(float(rows)) for rows in seen)
