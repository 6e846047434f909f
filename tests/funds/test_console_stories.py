"""The console's pages of what happened to a transfer and to a hold, and the search that leads there."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.contexts.funds.context import FUNDS
from app.contexts.funds.public import Part
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from tests.builders import money
from tests.consoles import browsing, log_in
from tests.funds.moving import TENANT, Books, operation, receive_request, ref, send_request

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
async def console(module_database: Urls) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before funds' pages."""
    house = House(load({"DATABASE_URL": module_database.app_url, "CONTEXTS": "funds,payments"}))
    funds: Any = house.container("funds")
    assert FUNDS.pages
    async with AsyncExitStack() as stack, browsing(*FUNDS.pages(funds, ())) as client:
        await house.open(stack)
        await log_in(client)
        yield client


def line(page: httpx.Response) -> list[str]:
    """What the time line says of each source, the oldest first."""
    assert page.status_code == 200, page.text
    return [
        f"{source}: {what}"
        for source, what in re.findall(r'<span class="source">(\w+)</span> <span>(.*?)</span>', page.text)
    ]


async def where(client: httpx.AsyncClient, wanted: UUID) -> str:
    """Where the search leads."""
    answer = await client.get(f"/search?id={wanted}")
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_a_transfer_tells_both_legs_its_key_its_events_and_its_note(
    console: httpx.AsyncClient, books: Books
) -> None:
    ada, bob = await books.user(100), await books.user()
    asked = send_request(ada, bob, 30, note="for <tea>")
    await books.send([asked])
    page = await console.get(f"/transfers/{asked.transfer_id}")
    told = line(page)
    for leg in (
        "ledger: TRANSFER_OUT -30 USD on wallet, balance 70",
        "ledger: TRANSFER_OUT +30 USD on transfers",
        "ledger: TRANSFER_IN +30 USD on wallet, balance 30",
        "ledger: TRANSFER_IN -30 USD on transfers",
        "key: the answer is stored under its key: 201",
        "outbox: transfer.completed written",
    ):
        assert told.count(leg) == 1, (leg, told)
    assert "for &lt;tea&gt;" in page.text
    assert "Transfer.completed is not sent yet" in page.text
    assert asked.scope[1] not in page.text  # a key is somebody's secret
    assert (f"/wallets/{ada}" in page.text, f"/wallets/{bob}" in page.text) == (True, True)
    assert await where(console, asked.transfer_id) == f"/transfers/{asked.transfer_id}"
    for user in (ada, bob):
        assert f"/transfers/{asked.transfer_id}" in (await console.get(f"/wallets/{user}")).text


async def test_what_was_paid_in_comes_from_outside(console: httpx.AsyncClient, books: Books) -> None:
    bob, asked = await books.user(), receive_request(await books.user(), 20, reference="salary <7>")
    await books.receive([asked])
    page = await console.get(f"/transfers/{asked.transfer_id}")
    assert "outside: paid in" in page.text
    assert "salary &lt;7&gt;" in page.text
    assert "key: the answer is stored under its key: 201" in line(page)
    await books.fund(bob, money(5), None)
    ((by_an_operator,),) = await books.all("SELECT id FROM transactions WHERE user_id = %s", bob)
    quiet = await console.get(f"/transfers/{by_an_operator}")
    assert "left the outbox" not in quiet.text  # it was never told
    assert len(line(quiet)) == 2


async def test_a_hold_tells_what_became_of_it_and_to_whom_it_went(console: httpx.AsyncClient, books: Books) -> None:
    ada, bob, house = await books.user(100), await books.user(), await books.user()
    asked = operation("place")
    hold = ref(ada, await books.desk.hold(asked, TENANT, ada, money(60), LATER))
    page = await console.get(f"/holds/{hold.id}")
    assert "market captures or releases it before" in page.text
    await books.desk.resize(operation("raise", asked.business_id), hold, 80)
    await books.desk.capture(hold, [Part(bob, 30), Part(house, 5, is_fee=True)])
    page = await console.get(f"/holds/{hold.id}")
    told = line(page)
    assert told[0] == "key: operation place is answered"
    assert told.index("ledger: HOLD -60 USD on wallet, balance 40") < told.index("ledger: HOLD +20 USD on held")
    for each in (
        "hold: placed: the money is set aside",
        "ledger: HOLD +20 USD on held",
        "ledger: CAPTURE_OUT -35 USD on held",
        "ledger: RELEASE +45 USD on wallet, balance 65",
        "ledger: CAPTURE_IN +30 USD on wallet, balance 30",
        "key: operation raise is answered",
        "outbox: hold.placed written",
        "outbox: hold.resized written",
        "outbox: hold.captured written",
        "hold: CAPTURED: 35 captured, 45 released",
    ):
        assert told.count(each) == 1, (each, told)
    assert f'href="/wallets/{bob}"' in page.text
    assert "the house, as its fee" in page.text
    assert await where(console, hold.id) == f"/holds/{hold.id}"
    assert f"/holds/{hold.id}" in (await console.get(f"/wallets/{bob}")).text


async def test_a_hold_whose_time_is_over_says_who_releases_it(console: httpx.AsyncClient, books: Books) -> None:
    ada = await books.user(100)
    hold = await books.hold(ada, 60)
    assert "it has no end of its own" in (await console.get(f"/holds/{hold.id}")).text
    over = await books.hold(ada, 10, LATER)
    await books.all("UPDATE holds SET expires_at = now() - interval '1 min' WHERE id = %s RETURNING 1", over.id)
    assert "does `strongbox recover` run?" in (await console.get(f"/holds/{over.id}")).text
    await books.desk.release(over)
    told = line(await console.get(f"/holds/{over.id}"))
    assert "hold: RELEASED: 0 captured, 10 released, its time was over" in told


async def test_a_wallet_shows_what_is_held_and_its_holds_by_page(console: httpx.AsyncClient, books: Books) -> None:
    ada = await books.user(100)
    holds = [(await books.hold(ada, 1)).id for _ in range(51)]
    wallet = (await console.get(f"/wallets/{ada}")).text
    assert [str(hold) in wallet for hold in holds] == [False] * 41 + [True] * 10
    assert f"/wallets/{ada}/holds" in wallet
    first = (await console.get(f"/wallets/{ada}/holds")).text
    older = first.partition("cursor=")[2].partition('"')[0]
    second = (await console.get(f"/wallets/{ada}/holds?cursor={older}")).text
    assert (str(holds[0]) in first, str(holds[0]) in second) == (False, True)
    assert (await console.get(f"/wallets/{uuid4()}/holds?cursor={older}")).status_code == 400


async def test_the_search_knows_users_and_says_when_nobody_knows(console: httpx.AsyncClient, books: Books) -> None:
    ada, nobody = await books.user(5), uuid4()
    assert await where(console, ada) == f"/wallets/{ada}"
    assert (await console.get(f"/search?id={nobody}")).status_code == 404


@pytest.mark.parametrize("page", ["transfers", "holds"])
@pytest.mark.parametrize(("given", "status"), [("7", 400), ("%00", 400), ("01890a5d-ac96-774b-bcce-b302099a8057", 404)])
async def test_what_is_no_id_or_of_nothing_is_said_so(
    console: httpx.AsyncClient, page: str, given: str, status: int
) -> None:
    assert (await console.get(f"/{page}/{given}")).status_code == status
