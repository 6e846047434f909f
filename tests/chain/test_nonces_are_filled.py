"""A nonce that is not spent holds up all behind it: it is filled. And what another key has signed is taken over."""

from pathlib import Path

import pytest

from app.contexts.chain.adapters.evm.contract import minter_change
from app.contexts.chain.domain.fees import LAVISH, Market, are_lavish, fees_for, raised
from app.contexts.chain.public import ChainAway, MintStatus
from app.main.local.roles import Urls
from tests.chain.accounts import Somebody
from tests.chain.adapter import CALL_S, Place, minted, order, settled, there
from tests.chain.nodes import Node, new_key

pytestmark = pytest.mark.usefixtures("patient_pools")

GWEI = 10**9


@pytest.fixture
async def place(mortal_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, on a node that may be told what to do."""
    place = Place(database, mortal_node, tmp_path)
    await place.deployed()
    return place


async def test_what_a_node_told_of_as_waiting_and_has_forgotten_is_filled_with_nothing(place: Place) -> None:
    lost, asked = order(1), order(2)
    place.node.hold()
    async with place.serving() as client:
        await minted(client, lost)
    place.lose_tables()
    assert (await place.rebuilt()).next_nonce == 2  # with the one that waits
    place.node.forget()
    async with place.serving() as client:
        await minted(client, asked)
        place.node.release()
        await there(lambda: place.supply() == 2)
        await minted(client, lost)  # it can be asked for as ever
        await there(lambda: place.supply() == 3)
        place.node.mine(3)
        mints = await settled(client, asked, lost)
    assert {mint.status for mint in mints} == {MintStatus.CONFIRMED}
    assert place.rows("SELECT nonce FROM chain.filling_transactions") == [(1,)]
    assert place.rows("SELECT nonce FROM chain.blockchain_transactions ORDER BY nonce") == [(2,), (3,)]


async def test_one_that_is_over_and_offers_too_little_is_signed_again_for_the_same_call(place: Place) -> None:
    over, asked = order(1), order(2)
    place.node.hold()
    async with place.serving() as client:
        await minted(client, over)
        await minted(client, asked)
    place.do("UPDATE chain.blockchain_transactions SET status = 'FAILED', failure = 'REVERTED' WHERE amount = 1")
    place.node.forget()
    place.node.raise_base_fee(100 * GWEI)
    place.node.ask("evm_mine")
    async with place.serving() as client:
        kept = "SELECT count(*) > 0 FROM chain.superseded_transactions WHERE reason = 'filling'"
        await there(lambda: place.rows(kept) == [(True,)])
        place.node.release()
        await there(lambda: place.supply() == 3)  # what fills is the very call
        place.node.mine(3)
        (mint,) = await settled(client, asked)
    assert mint.status is MintStatus.CONFIRMED
    signed = place.rows("SELECT DISTINCT nonce, request_id FROM chain.superseded_transactions WHERE reason = 'filling'")
    assert signed == [(1, over.request_id)]
    assert place.rows("SELECT count(*) FROM chain.filling_transactions") == [(0,)]


async def test_what_a_key_has_signed_that_is_no_longer_ours_is_signed_with_the_new_one(
    mortal_node: Node, database: Urls, tmp_path: Path
) -> None:
    place, owner = Place(database, mortal_node, tmp_path), Somebody(mortal_node)
    await place.deployed(owner.address)
    asked, behind = order(1), order(2)
    place.node.hold()
    async with place.serving() as client:
        first = await minted(client, asked)
        await minted(client, behind)
    place.node.forget()
    place.node.ask("anvil_setBalance", place.address, hex(0))  # the old key has nothing any more
    place.key_file.write_text(new_key() + "\n")
    new = place.address_of_key()
    place.node.ask("anvil_setBalance", new, hex(10**21))
    place.node.release()
    owner.do(place.contract, minter_change(new))
    async with place.serving() as client:
        await there(lambda: place.supply() == 3)
        place.node.mine(3)
        mints = await settled(client, asked, behind)
    assert {mint.status for mint in mints} == {MintStatus.CONFIRMED}
    assert first.tx_hash not in {mint.tx_hash for mint in mints}
    assert place.rows("SELECT sender, nonce FROM chain.blockchain_transactions ORDER BY nonce") == [(new, 0), (new, 1)]
    kept = place.rows("SELECT sender, nonce, reason FROM chain.superseded_transactions ORDER BY nonce")
    assert kept == [(place.address, 1, "rotated"), (place.address, 2, "rotated")]


async def test_a_key_that_the_contract_lets_mint_no_longer_signs_nothing(
    mortal_node: Node, database: Urls, tmp_path: Path
) -> None:
    place, owner = Place(database, mortal_node, tmp_path), Somebody(mortal_node)
    await place.deployed(owner.address)
    before, asked = order(1), order(2)
    async with place.serving() as client:
        await minted(client, before)
        owner.do(place.contract, minter_change(owner.address))
        with pytest.raises(ChainAway):
            await client.mint(asked, CALL_S)
        assert place.rows("SELECT count(*) FROM chain.blockchain_transactions") == [(1,)]
        owner.do(place.contract, minter_change(place.address))
        await minted(client, asked)
        await there(lambda: place.supply() == 3)


def test_nobody_offers_without_end_for_what_does_not_wait_for_its_fees() -> None:
    market = Market(base=GWEI, tip=GWEI)
    fees = fees_for(market)
    times = 0
    while not are_lavish(fees, market):
        fees, times = raised(fees, market), times + 1
    assert 10 < times < 60
    assert fees.most < 2 * LAVISH * fees_for(market).most
    assert not are_lavish(fees, Market(base=20 * GWEI, tip=GWEI))
