"""Somebody else signs with our key: each mint lands once all the same, and what he did is told apart."""

from pathlib import Path

import pytest

from app.contexts.chain.adapters.evm.contract import deployment, minter_change, minting
from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.transactions import signed as sign
from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.public import ChainAway, MintStatus
from app.main.local.roles import Urls
from tests.chain.adapter import CALL_S, Place, in_status, minted, order, settled, there
from tests.chain.nodes import CHAIN_ID, Node

pytestmark = pytest.mark.usefixtures("patient_pools")

GWEI = 10**9


@pytest.fixture
async def place(mortal_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, on a node that may be told what to do. Nobody offers more
    than the stranger, however long he takes."""
    place = Place(database, mortal_node, tmp_path, CHAIN_STUCK_S="60")
    await place.deployed()
    return place


def by_a_stranger(place: Place, nonce: int, data: str, to: str | None = None, tip: int = 5 * GWEI) -> str:
    """Somebody else sends something with our key; its hash."""
    to = to or place.environment["CHAIN_CONTRACT"]
    transaction = sign(key_in(place.key_file), CHAIN_ID, nonce, Fees(100 * GWEI, tip), 200_000, to, data)
    return str(place.node.ask("eth_sendRawTransaction", "0x" + transaction.raw.hex()))


async def test_a_nonce_that_a_stranger_spent_with_our_key_is_told_apart_and_the_mint_signed_anew(place: Place) -> None:
    asked = order()
    place.node.hold()
    async with place.serving() as client:
        first = await minted(client, asked)
        place.node.forget()
        by_a_stranger(place, 1, minter_change(place.address))
        place.node.release()
        await there(lambda: place.supply() == asked.amount)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert mint.status is MintStatus.CONFIRMED
    assert mint.tx_hash != first.tx_hash
    assert place.rows("SELECT nonce FROM chain.blockchain_transactions") == [(2,)]
    assert place.rows("SELECT nonce, reason FROM chain.superseded_transactions") == [(1, "stranger")]
    assert place.supply() == asked.amount


async def test_nonces_that_a_stranger_spent_before_are_passed_over_and_noted(place: Place) -> None:
    for nonce in (1, 2, 3):
        by_a_stranger(place, nonce, minter_change(place.address))
    asked = order()
    async with place.serving() as client:
        await minted(client, asked)
        place.node.mine(3)
        await settled(client, asked)
    assert place.rows("SELECT first_nonce, last_nonce FROM chain.foreign_nonces") == [(1, 3)]
    assert place.rows("SELECT nonce FROM chain.blockchain_transactions") == [(4,)]


async def test_what_somebody_else_has_minted_for_the_request_counts_with_that_hash(place: Place) -> None:
    asked = order()
    place.node.hold()
    async with place.serving() as client:
        await minted(client, asked)
        place.node.forget()
        theirs = by_a_stranger(place, 1, minting(asked.request_id, asked.to, asked.amount))
        place.node.release()
        await there(lambda: place.supply() == asked.amount)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, theirs)
    assert place.supply() == asked.amount


async def test_another_amount_for_the_request_is_a_failure_that_is_told(place: Place) -> None:
    asked = order(1_000)
    place.node.hold()
    async with place.serving() as client:
        await minted(client, asked)
        place.node.forget()
        by_a_stranger(place, 1, minting(asked.request_id, asked.to, 999))
        place.node.release()
        await there(lambda: place.supply() == 999)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.failure) == (MintStatus.FAILED, "OTHER_CONTENT")


async def test_a_mint_that_the_contract_refuses_fails_as_deep_as_one_is_confirmed(place: Place) -> None:
    most = order(2**256 - 1)
    asked = order(1)  # there cannot be one more
    async with place.serving() as client:
        await minted(client, most)
        first = await minted(client, asked)
        await in_status(client, asked, MintStatus.MINED)
        place.node.mine(3)
        refused, done = await settled(client, asked, most)
    assert (refused.status, refused.failure, refused.tx_hash) == (MintStatus.FAILED, "REVERTED", first.tx_hash)
    assert done.status is MintStatus.CONFIRMED


async def test_nothing_is_signed_for_another_contract_or_chain_than_that_of_the_tables(place: Place) -> None:
    ours = place.environment["CHAIN_CONTRACT"]
    asked = order()
    other = str(place.node.receipt(by_a_stranger_deploys(place))["contractAddress"])
    for wrong in ({"CHAIN_CONTRACT": other}, {"CHAIN_CONTRACT": "0x" + "12" * 20}, {"CHAIN_ID": "31338"}):
        async with place.serving(**wrong) as client:
            with pytest.raises(ChainAway):
                await client.mint(asked, CALL_S)
    assert place.rows("SELECT count(*) FROM chain.blockchain_transactions") == [(0,)]
    assert place.environment["CHAIN_CONTRACT"] == ours


def by_a_stranger_deploys(place: Place) -> str:
    """Another contract of the same kind, made with our key."""
    data = deployment("Other", "OTH", 6, place.address, place.address)
    transaction = sign(key_in(place.key_file), CHAIN_ID, 1, Fees(100 * GWEI, GWEI), 3_000_000, None, data)
    return str(place.node.ask("eth_sendRawTransaction", "0x" + transaction.raw.hex()))
