"""The chain as operators look at it: in the console, and on the command line."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.contexts.chain.context import CHAIN
from app.contexts.chain.domain.mint import MintOrder, MintStatus
from app.contexts.chain.domain.next_step import waits_for
from app.main.contexts import load
from app.main.house import House
from app.main.local.roles import Urls
from app.platform.eip55 import checksummed
from tests import forks
from tests.chain.adapter import SOMEBODY, Place, in_status, minted, order, settled
from tests.chain.nodes import Node
from tests.consoles import browsing, log_in
from tests.platform.outbox_fixtures import query

pytestmark = pytest.mark.usefixtures("patient_pools")


@pytest.fixture
async def place(chain_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A place with a contract."""
    place = Place(database, chain_node, tmp_path)
    await place.deployed()
    return place


async def lived(place: Place) -> tuple[MintOrder, MintOrder]:
    """A mint that is confirmed, and one in a block that does not lie deep yet."""
    confirmed, mined = order(1), order(2)
    async with place.serving() as client:
        await minted(client, confirmed)
        place.node.mine(3)
        await settled(client, confirmed)
        await minted(client, mined)
        place.node.mine(1)
        await in_status(client, mined, MintStatus.MINED)
    return confirmed, mined


@asynccontextmanager
async def console(place: Place, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that somebody has logged in, before the pages of the chain."""
    house = House(load({**place.environment, **settings}, {}))
    assert CHAIN.pages
    async with browsing(*CHAIN.pages(house.container("chain"), ())) as client:
        await log_in(client)
        yield client


def hash_of(place: Place, one: MintOrder) -> str:
    """The hash of its transaction."""
    ((found,),) = query(
        place.database.app_url,
        "SELECT tx_hash FROM chain.blockchain_transactions WHERE request_id = %s",
        one.request_id,
    )
    return str(found)


async def test_the_chain_is_shown_with_its_key_and_what_is_under_way(place: Place) -> None:
    confirmed, mined = await lived(place)
    async with console(place) as client:
        page = (await client.get("/chain")).text
    assert checksummed(place.environment["CHAIN_CONTRACT"]) in page
    assert checksummed(place.address) in page
    assert re.search(r'[0-9,]{20,} <span class="unit">wei</span>', page), "what the key has"
    assert "Newest block of the node" in page
    open_ones, failed = page.split('id="t-failed"')
    assert f"/chain/{mined.request_id}" in open_ones
    assert str(confirmed.request_id) not in page
    assert "None." in failed


async def test_a_mint_tells_its_transactions_and_what_it_waits_for(place: Place) -> None:
    confirmed, mined = await lived(place)
    place.do(
        "INSERT INTO chain.superseded_transactions (tx_hash, request_id, sender, nonce, raw, max_fee_per_gas,"
        " max_priority_fee_per_gas, reason, signed_at) SELECT '0x' || repeat('7', 64), request_id, sender, nonce, raw,"
        " 7000000001, 3, 'stuck', signed_at - interval '1 minute' FROM chain.blockchain_transactions"
        f" WHERE request_id = '{confirmed.request_id}'"
    )
    async with console(place) as client:
        over, waiting = [(await client.get(f"/chain/{one.request_id}")).text for one in (confirmed, mined)]
    assert "CONFIRMED" in over
    assert "Waits" not in over
    assert hash_of(place, confirmed) in over
    assert "7,000,000,001, 3" in over
    assert "stuck" in over
    assert checksummed(SOMEBODY) in over
    assert f"/mints/{confirmed.request_id}" in over
    assert re.search(r"<strong>Waits</strong> for 3 confirmations: it has [12]", waiting)


async def test_without_its_node_it_says_so_and_tells_the_rest(place: Place) -> None:
    _, mined = await lived(place)
    async with console(place, EVM_RPC_URL="http://127.0.0.1:1") as client:
        everything, one = (await client.get("/chain")).text, (await client.get(f"/chain/{mined.request_id}")).text
    assert f"/chain/{mined.request_id}" in everything
    assert "Newest block" not in everything
    assert "<strong>Waits</strong> for 3 confirmations" in one
    assert "The node was not asked" in one


async def test_the_search_finds_a_mint_by_its_transaction(place: Place) -> None:
    _, mined = await lived(place)
    tx_hash = hash_of(place, mined)
    async with console(place) as client:
        found = [
            await client.get("/search", params={"id": text}) for text in (tx_hash, tx_hash.upper().replace("X", "x"))
        ]
        missing = [(await client.get(path)).status_code for path in (
            f"/search?id=0x{64 * '0'}", f"/chain/{uuid4()}", "/chain/x", "/chain?a=1",
        )]  # fmt: skip
    assert [answer.headers["location"] for answer in found] == [f"/chain/{mined.request_id}"] * 2
    assert missing == [404, 404, 400, 400]


async def test_the_command_line_tells_the_same(place: Place) -> None:
    confirmed, mined = await lived(place)

    def told(*words: str, code: int = 0) -> str:
        ended = forks.run(("app", "chain", "show", *words), Path.cwd(), place.environment)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    def with_coins() -> Any:
        """What is told with the node's answer, which is not waited for long."""
        for _ in range(20):
            found = json.loads(told("--json"))
            if found["keys"][0]["wei"] != "unknown":
                return found
        raise AssertionError("the node is not asked")

    everything = with_coins()
    assert everything["contract"]["address"] == checksummed(place.environment["CHAIN_CONTRACT"])
    assert everything["keys"][0]["address"] == checksummed(place.address)
    assert int(everything["keys"][0]["wei"]) > 0
    assert [one["request_id"] for one in everything["under_way"]] == [str(mined.request_id)]
    one = json.loads(told(hash_of(place, confirmed), "--json"))
    assert (one["request_id"], one["status"], one["earlier"]) == (str(confirmed.request_id), "CONFIRMED", [])
    assert checksummed(place.address) in told()
    assert re.search("^waits_for +for 3 confirmations", told(str(mined.request_id)), re.MULTILINE)
    assert "nothing was signed" in told(str(uuid4()), code=1)
    assert "neither the id" in told("x", code=2)


@pytest.mark.parametrize(
    ("status", "failure", "ahead", "said"),
    [
        (MintStatus.SIGNED, None, 0, "for a node that takes it"),
        (MintStatus.BROADCAST, None, 2, "for the 2 with smaller nonces"),
        (MintStatus.BROADCAST, None, 0, "for a block"),
        (MintStatus.FAILED, "OTHER_CONTENT", 0, "who has the key"),
        (MintStatus.FAILED, "REVERTED", 0, "still its minter"),
        (MintStatus.FAILED, "INVALID", 0, "refused before it was signed"),
    ],
)
def test_what_a_mint_waits_for_is_told(status: MintStatus, failure: str | None, ahead: int, said: str) -> None:
    assert said in (waits_for(status, failure, ahead, None, None, 12) or "")
