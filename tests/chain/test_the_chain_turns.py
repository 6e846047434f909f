"""What a chain does to what was sent: takes it back, forgets it, wants more for it, or has another from our key."""

import asyncio
from pathlib import Path

import pytest

from app.contexts.chain.adapters.evm.node import TIMEOUT_S
from app.contexts.chain.public import ChainAway, MintStatus
from app.main.local.roles import Urls
from tests.chain.adapter import CALL_S, Place, in_status, minted, order, settled, there
from tests.chain.nodes import Node, answers_within

pytestmark = pytest.mark.usefixtures("patient_pools")

GWEI = 10**9


@pytest.fixture
async def place(mortal_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, on a node that may be told what to do."""
    place = Place(database, mortal_node, tmp_path)
    await place.deployed()
    return place


async def test_a_reorganisation_of_three_blocks_takes_a_mint_back_and_it_lands_again_once(place: Place) -> None:
    asked = order()
    place.environment["CHAIN_CONFIRMATIONS"] = "6"
    async with place.serving() as client:
        first = await minted(client, asked)
        await in_status(client, asked, MintStatus.MINED)
        place.node.mine(2)
        place.node.hold()
        place.node.reorg(3)
        assert place.supply() == 0
        again = await in_status(client, asked, MintStatus.BROADCAST)
        assert again.tx_hash == first.tx_hash
        place.node.release()
        await asyncio.to_thread(place.node.receipt, str(first.tx_hash))  # the same bytes
        place.node.mine(6)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, first.tx_hash)
    assert place.supply() == asked.amount


async def test_a_mempool_that_forgets_gets_the_same_bytes_again(place: Place) -> None:
    asked = order()
    place.node.hold()
    async with place.serving() as client:
        first = await minted(client, asked)
        assert first.status is MintStatus.BROADCAST
        place.node.forget()
        await there(lambda: place.node.ask("eth_getTransactionByHash", first.tx_hash) is not None)
        place.node.release()
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, first.tx_hash)


async def test_fees_that_rise_above_ours_are_followed_with_the_same_nonce_and_both_hashes_kept(place: Place) -> None:
    asked, behind = order(1), order(2)
    place.node.hold()
    async with place.serving() as client:
        first = await minted(client, asked)
        await minted(client, behind)
        place.node.raise_base_fee(100 * GWEI)
        place.node.ask("evm_mine")
        replaced = "SELECT count(DISTINCT request_id) FROM chain.superseded_transactions WHERE reason = 'stuck'"
        await there(lambda: place.rows(replaced) == [(2,)])
        place.node.release()
        await there(lambda: place.supply() == 3)
        place.node.mine(3)
        one, other = await settled(client, asked, behind)
    assert (one.status, other.status) == (MintStatus.CONFIRMED, MintStatus.CONFIRMED)
    assert one.tx_hash != first.tx_hash
    kept = place.rows(
        """
        SELECT s.nonce = t.nonce, t.max_fee_per_gas >= s.max_fee_per_gas * 1.1,
               t.max_priority_fee_per_gas >= s.max_priority_fee_per_gas * 1.1
        FROM chain.superseded_transactions s JOIN chain.blockchain_transactions t USING (request_id)
        """
    )
    assert set(kept) == {(True, True, True)}
    assert place.supply() == 3


async def test_the_replaced_transaction_may_land_as_well_and_its_hash_is_told(place: Place) -> None:
    asked = order()
    place.node.hold()
    async with place.serving() as client:
        first = await minted(client, asked)
        ((raw,),) = place.rows("SELECT raw FROM chain.blockchain_transactions")
        place.node.raise_base_fee(100 * GWEI)
        place.node.ask("evm_mine")
        await there(lambda: place.rows("SELECT count(*) > 0 FROM chain.superseded_transactions") == [(True,)])
    place.node.forget()
    place.node.raise_base_fee(GWEI)
    place.node.ask("evm_mine")
    place.node.ask("eth_sendRawTransaction", "0x" + bytes(raw).hex())  # it was on its way all the time
    place.node.release()
    place.node.mine(3)
    async with place.serving() as client:
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, first.tx_hash)
    assert place.supply() == asked.amount


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_node_that_was_killed_or_frozen_is_worked_with_once_it_is_back(
    place: Place, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_within(monkeypatch, TIMEOUT_S)
    known, asked = order(1), order(2)
    place.node.funded = place.address  # anvil begins anew, and is sent again what it was sent
    async with place.serving() as client:
        await minted(client, known)
        if how == "killed":
            await asyncio.to_thread(place.node.kill)
        else:
            place.node.freeze()
        with pytest.raises(ChainAway):
            await client.mint(asked, CALL_S)
        if how == "killed":
            await asyncio.to_thread(place.node.start)
        else:
            place.node.thaw()
        await minted(client, asked)
        await there(lambda: place.supply() == 3)
        place.node.mine(3)
        await settled(client, known, asked)
    assert place.supply() == 3


async def test_with_its_tables_lost_nothing_is_minted_twice_and_rebuilding_restores_them(place: Place) -> None:
    before, unsettled = order(1), order(2)
    async with place.serving() as client:
        await minted(client, before)
        place.node.mine(3)
        await settled(client, before)
        await minted(client, unsettled)
        await in_status(client, unsettled, MintStatus.MINED)
    place.lose_tables()
    rebuilt = await place.rebuilt()
    assert (rebuilt.told, rebuilt.restored, rebuilt.next_nonce) == (1, 1, 3)
    again = await place.rebuilt()
    assert (again.told, again.restored, again.next_nonce) == (1, 0, 3)
    async with place.serving() as client:
        mint = await minted(client, before)
        assert mint.status is MintStatus.CONFIRMED
        await minted(client, unsettled)  # it was not deep enough to be restored; the contract refuses it
        await there(lambda: int(place.node.ask("eth_getTransactionCount", place.address, "latest"), 16) == 4)
        place.node.mine(3)
        (mint,) = await settled(client, unsettled)
        assert mint.status is MintStatus.CONFIRMED
    assert place.supply() == 3


async def test_without_rebuilding_a_request_that_the_contract_knows_is_confirmed_by_its_event(place: Place) -> None:
    asked = order()
    async with place.serving() as client:
        first = await minted(client, asked)
        place.node.mine(3)
        await settled(client, asked)
    place.lose_tables()
    async with place.serving() as client:
        again = await minted(client, asked)
        assert again.tx_hash != first.tx_hash
        await there(lambda: int(place.node.ask("eth_getTransactionCount", place.address, "latest"), 16) == 3)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, first.tx_hash)
    assert place.supply() == asked.amount
