"""Mints, from being asked for to being confirmed, on both EVMs."""

import asyncio
from pathlib import Path

import pytest

from app.contexts.chain.public import MintStatus, RequestReused
from app.main.local.roles import Urls
from tests.chain.adapter import CALL_S, Place, in_status, minted, order, settled, there
from tests.chain.nodes import Node

pytestmark = pytest.mark.usefixtures("patient_pools")


@pytest.fixture
async def place(chain_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, on the node that all share."""
    place = Place(database, chain_node, tmp_path)
    await place.deployed()
    return place


async def test_a_mint_is_mined_first_and_confirmed_as_deep_as_was_asked_for(place: Place) -> None:
    asked = order(2**200)
    async with place.serving() as client:
        first = await minted(client, asked)
        assert first.status is MintStatus.BROADCAST
        assert (await in_status(client, asked, MintStatus.MINED)).tx_hash == first.tx_hash
        block = int(place.node.receipt(str(first.tx_hash))["blockNumber"], 16)
        place.node.mine(block + 1 - place.node.height)  # two deep: the block that includes it is the first
        await asyncio.sleep(0.6)  # two rounds, in which nothing may happen
        assert (await in_status(client, asked, MintStatus.MINED)).status is MintStatus.MINED
        place.node.mine()
        (mint,) = await settled(client, asked)
        assert mint.status is MintStatus.CONFIRMED
        assert await client.balance(asked.to, CALL_S) >= asked.amount
    assert place.supply() == asked.amount


async def test_the_same_again_is_the_same_mint_and_other_content_is_refused(place: Place) -> None:
    asked = order(7)
    async with place.serving() as client:
        first, again = await minted(client, asked), await minted(client, asked)
        assert again.tx_hash == first.tx_hash
        for other in (order(8, request_id=asked.request_id), order(7, "0x" + "11" * 20, asked.request_id)):
            with pytest.raises(RequestReused):
                await client.mint(other, CALL_S)
        await there(lambda: place.supply() == 7)
        place.node.mine(3)
        await settled(client, asked)
    assert place.supply() == 7


async def test_many_at_once_have_nonces_without_a_gap(place: Place) -> None:
    orders = [order(amount) for amount in range(1, 41)]
    async with place.serving() as client:
        await asyncio.gather(*(minted(client, each) for each in orders))
        await there(lambda: place.supply() == sum(range(1, 41)))  # the last of them may be in no block yet
        place.node.mine(3)
        assert {mint.status for mint in await settled(client, *orders)} == {MintStatus.CONFIRMED}
    nonces = place.rows("SELECT nonce FROM chain.blockchain_transactions ORDER BY nonce")
    assert nonces == [(nonce,) for nonce in range(1, 41)]  # the contract had the first
    assert place.supply() == sum(range(1, 41))


async def test_two_adapters_on_one_key_share_its_nonces(place: Place) -> None:
    orders = [order(amount) for amount in range(1, 31)]
    async with place.serving() as one, place.serving() as other:
        mints = await asyncio.gather(
            *(minted(client, each) for each in orders for client in (one, other))  # each is asked for of both
        )
        assert len({mint.tx_hash for mint in mints}) == len(orders)
        await there(lambda: place.supply() == sum(range(1, 31)))
        place.node.mine(3)
        assert {mint.status for mint in await settled(other, *orders)} == {MintStatus.CONFIRMED}
    assert place.supply() == sum(range(1, 31))


async def test_deploying_again_finds_the_contract_with_and_without_the_tables(place: Place) -> None:
    address = place.environment.pop("CHAIN_CONTRACT")
    assert await place.deployed() == address
    place.lose_tables()
    place.environment.pop("CHAIN_CONTRACT")
    assert await place.deployed() == address
