"""Adapters that die between two steps, and what is between them and their node: each mint lands once all the same."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from app.contexts.chain.adapters.grpc.client import GrpcChain
from app.contexts.chain.public import ChainAway, MintOrder, MintStatus, UnknownAnswer
from app.main.local.roles import Urls
from app.platform.process.processes import comes_true
from tests.chain.adapter import CALL_S, LIMIT_S, Place, Running, minted, order, settled, until
from tests.chain.faults import Between, Fault
from tests.chain.nodes import Node

LOCKS = """
    SELECT count(*) FROM pg_locks
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
WAITING = f"{LOCKS} AND NOT granted"
AT_WORK = f"{LOCKS} AND relation = 'chain.wallet_nonces'::regclass"
"""Of transactions that sign, the one whose adapter is dead included."""

pytestmark = pytest.mark.usefixtures("patient_pools")


@pytest.fixture
async def between(chain_node: Node) -> AsyncIterator[Between]:
    """What stands before the node."""
    with Between(chain_node.url).running() as between:
        yield between


@pytest.fixture
async def place(chain_node: Node, between: Between, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, and the node behind what may lose things."""
    place = Place(database, chain_node, tmp_path, between.url)
    await place.deployed()
    return place


def signed(place: Place) -> list[tuple[str, int, str]]:
    """What is kept: the hash and the nonce of each mint, and how far it is."""
    query = "SELECT tx_hash, nonce, status FROM chain.blockchain_transactions ORDER BY nonce"
    return [(tx_hash, nonce, status) for tx_hash, nonce, status in place.rows(query)]


async def is_confirmed_by(place: Place, asked: MintOrder, tx_hash: str) -> None:
    """Another adapter finishes it, with the transaction that was signed before."""
    async with place.serving() as client:
        await asyncio.to_thread(place.node.receipt, tx_hash)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, tx_hash)
    assert place.supply() == mint.order.amount


async def test_what_was_signed_is_committed_before_it_is_sent_and_sent_by_the_next_adapter(
    place: Place, between: Between
) -> None:
    asked = order()
    met = between.fault("eth_sendRawTransaction", Fault.HELD)
    with place.process() as dying:
        async with dying.client() as client:
            asking = asyncio.ensure_future(minted(client, asked))
            assert await asyncio.to_thread(met.wait, LIMIT_S)
            ((tx_hash, nonce, status),) = signed(place)  # it is there while the node has not even seen it
            assert (nonce, status) == (1, "SIGNED")
            dying.kill()
            asking.cancel()
    assert place.node.ask("eth_getTransactionByHash", tx_hash) is None
    between.heal()
    await is_confirmed_by(place, asked, tx_hash)
    assert signed(place) == [(tx_hash, 1, "CONFIRMED")]


async def test_what_is_signed_behind_one_that_was_never_sent_has_the_next_nonce(place: Place, between: Between) -> None:
    asked, behind = order(1), order(2)
    met = between.fault("eth_sendRawTransaction", Fault.HELD)
    with place.process() as dying:
        async with dying.client() as client:
            asking = asyncio.ensure_future(minted(client, asked))
            assert await asyncio.to_thread(met.wait, LIMIT_S)
            dying.kill()
            asking.cancel()
    between.heal()
    between.fault("eth_sendRawTransaction", Fault.REFUSED)
    async with place.serving() as client:
        await until(lambda: client.balance(asked.to, CALL_S), lambda _: True)
        assert (await client.mint(behind, CALL_S)).status is MintStatus.SIGNED
        kept = signed(place)
        assert [(nonce, status) for _, nonce, status in kept] == [(1, "SIGNED"), (2, "SIGNED")]
        between.heal()
        for tx_hash, _, _ in kept:
            await asyncio.to_thread(place.node.receipt, tx_hash)
        place.node.mine(3)
        await settled(client, asked, behind)
    assert signed(place) == [(tx_hash, nonce, "CONFIRMED") for tx_hash, nonce, _ in kept]
    assert place.supply() == 3


async def asked_for(client: GrpcChain, asked: MintOrder, dying: Running) -> None:
    """Ask, and again when it has waited for too long, until it is dead."""
    while True:
        try:
            await client.mint(asked, CALL_S)
        except (UnknownAnswer, ChainAway):
            if dying.has_ended:
                raise


async def dies_at_its_commit(place: Place, asked: MintOrder, comes_through: bool) -> None:
    """Have an adapter die while its statements wait. They come through, unless they have given up before; or they give
    up, and their transaction with them."""
    with psycopg.connect(place.database.owner_url) as lock, place.process() as dying:
        async with dying.client() as client:
            await until(lambda: client.get_mint(asked.request_id, CALL_S), lambda mint: mint is None)
            lock.execute("LOCK TABLE chain.blockchain_transactions IN SHARE MODE")
            asking = asyncio.ensure_future(asked_for(client, asked, dying))
            assert await asyncio.to_thread(comes_true, lambda: place.rows(WAITING) == [(1,)], LIMIT_S)
            dying.kill()
            if comes_through:
                lock.rollback()
            with pytest.raises((UnknownAnswer, ChainAway)):
                await asking
        assert await asyncio.to_thread(comes_true, lambda: place.rows(AT_WORK) == [(0,)], LIMIT_S)


@pytest.mark.parametrize("comes_through", [False, True])
async def test_an_adapter_that_dies_at_its_commit_has_sent_nothing_and_the_next_goes_by_what_is_there(
    place: Place, comes_through: bool
) -> None:
    asked = order()
    await dies_at_its_commit(place, asked, comes_through)
    while comes_through and not signed(place):  # it had waited for too long to come through
        await dies_at_its_commit(place, asked, comes_through)
    assert place.node.ask("eth_getTransactionCount", place.address, "pending") == "0x1"  # the contract's alone
    kept = signed(place)
    assert [status for _, _, status in kept] == ["SIGNED"] * comes_through
    async with place.serving() as client:
        again = await minted(client, asked)
        await asyncio.to_thread(place.node.receipt, str(again.tx_hash))
        place.node.mine(3)
        await settled(client, asked)
    assert signed(place) == [(again.tx_hash, 1, "CONFIRMED")]
    assert [tx_hash for tx_hash, _, _ in kept] in ([], [again.tx_hash])


async def test_an_adapter_that_dies_behind_the_broadcast_and_before_its_record_sends_nothing_else(
    place: Place, between: Between
) -> None:
    asked = order()
    met = between.fault("eth_sendRawTransaction", Fault.LOST)
    with place.process() as dying:
        async with dying.client() as client:
            asking = asyncio.ensure_future(minted(client, asked))
            assert await asyncio.to_thread(met.wait, LIMIT_S)
            dying.kill()
            asking.cancel()
    ((tx_hash, nonce, status),) = signed(place)
    assert (nonce, status) == (1, "SIGNED")
    assert place.node.receipt(str(tx_hash))["status"] == "0x1"
    between.heal()
    await is_confirmed_by(place, asked, tx_hash)


async def test_a_lost_answer_to_a_broadcast_is_none_and_the_mint_is_found_on_the_chain(
    place: Place, between: Between
) -> None:
    asked = order()
    async with place.serving() as client:
        await until(lambda: client.balance(asked.to, CALL_S), lambda _: True)
        between.fault("eth_sendRawTransaction", Fault.LOST)
        mint = await minted(client, asked)
        assert mint.status is MintStatus.SIGNED  # nobody knows whether the node has it
        between.heal()
        place.node.mine(3)
        (found,) = await settled(client, asked)
    assert (found.status, found.tx_hash) == (MintStatus.CONFIRMED, mint.tx_hash)
    assert place.supply() == asked.amount


async def test_a_node_that_takes_nothing_gets_the_same_bytes_once_it_does(place: Place, between: Between) -> None:
    asked = order()
    async with place.serving() as client:
        await until(lambda: client.balance(asked.to, CALL_S), lambda _: True)
        between.fault("eth_sendRawTransaction", Fault.REFUSED)
        mint = await minted(client, asked)
        assert mint.status is MintStatus.SIGNED
        between.heal()
        await asyncio.to_thread(place.node.receipt, str(mint.tx_hash))
        place.node.mine(3)
        (found,) = await settled(client, asked)
    assert (found.status, found.tx_hash) == (MintStatus.CONFIRMED, mint.tx_hash)
    assert place.supply() == asked.amount


async def test_without_its_node_nothing_is_signed_and_that_is_said(place: Place, between: Between) -> None:
    asked = order()
    async with place.serving() as client:
        known = order(5)
        await minted(client, known)
        between.fault("eth_chainId", Fault.REFUSED)
        with pytest.raises(ChainAway):
            await client.mint(asked, CALL_S)
        assert await client.get_mint(asked.request_id, CALL_S) is None
        assert (await client.mint(known, CALL_S)).status in (MintStatus.BROADCAST, MintStatus.MINED)
        between.heal()
        await minted(client, asked)
        place.node.mine(3)
        await settled(client, asked, known)
    assert place.supply() == asked.amount + known.amount


async def test_without_its_database_nobody_knows_and_afterwards_it_is_minted_once(
    place: Place, between: Between, postgres_url: str
) -> None:
    asked = order()
    name = conninfo_to_dict(place.database.app_url)["dbname"]
    async with place.serving() as client:
        known = order(1)
        await minted(client, known)
        with psycopg.connect(postgres_url, autocommit=True) as superuser:
            for _ in range(3):
                superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
                await asyncio.sleep(0.05)
        await minted(client, asked)
        place.node.mine(3)
        await settled(client, asked, known)
    assert place.supply() == asked.amount + 1
