"""Nodes that take less than others do: mints are confirmed all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.contexts.chain.application import follow, search
from app.contexts.chain.public import ChainAway, MintStatus
from app.main.local.roles import Urls
from tests.chain.adapter import Place, in_status, minted, order, settled, there
from tests.chain.nodes import Node
from tests.chain.picky import Picky

pytestmark = pytest.mark.usefixtures("patient_pools")


@pytest.fixture
def picky(mortal_node: Node) -> Iterator[Picky]:
    """Between adapter and node."""
    with Picky(mortal_node.url).running() as between:
        yield between


@pytest.fixture
async def place(mortal_node: Node, picky: Picky, database: Urls, tmp_path: Path) -> Place:
    """A database, a key and a contract of the test's own, on a node that is picky from now on."""
    place = Place(database, mortal_node, tmp_path, picky.url)
    await place.deployed()
    return place


@pytest.mark.parametrize("batches", ["alone", "some", "status"])
async def test_a_node_without_batches_is_asked_one_by_one(place: Place, picky: Picky, batches: str) -> None:
    picky.batches = batches
    asked = [order(amount) for amount in (1, 2, 3)]
    async with place.serving() as client:
        for each in asked:
            await minted(client, each)
        await there(lambda: place.supply() == 6)
        place.node.mine(3)
        mints = await settled(client, *asked)
    assert {mint.status for mint in mints} == {MintStatus.CONFIRMED}


async def test_events_are_asked_for_in_as_few_blocks_as_a_node_takes(place: Place, picky: Picky) -> None:
    asked = order()
    place.node.hold()
    async with place.serving() as client:
        await minted(client, asked)
    place.node.release()
    place.node.mine(40)
    picky.most_blocks = 7
    async with place.serving() as client:
        (mint,) = await settled(client, asked)
    assert mint.status is MintStatus.CONFIRMED
    assert max(last - first for first, last in picky.asked) < 7


async def test_after_a_long_absence_each_part_is_noted_and_not_asked_for_again(
    place: Place, picky: Picky, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "BEHIND", 10)
    asked, late = order(1), order(2)
    place.node.hold()
    async with place.serving() as client:
        await minted(client, asked)
        await minted(client, late)
    place.node.release()
    place.node.mine(100)
    async with place.serving() as client:
        mints = await settled(client, asked, late)
    assert {mint.status for mint in mints} == {MintStatus.CONFIRMED}
    behind = [(first, last) for first, last in picky.asked if last < place.node.height - 20]
    assert len(behind) > 6
    assert len(set(behind)) == len(behind)
    assert max(last - first for first, last in behind) < 10


@pytest.mark.parametrize("lacks", ["events", "states"])
async def test_what_is_known_from_before_what_a_node_tells_of_holds_up_nobody(
    place: Place, picky: Picky, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    monkeypatch.setattr(search, "AGAIN_S", 0.5)
    known, asked = order(1), order(2)
    async with place.serving() as client:
        first = await minted(client, known)
        place.node.mine(3)
        await settled(client, known)
    place.lose_tables()
    place.node.mine(10)
    picky.oldest, picky.has_states = place.node.height if lacks == "events" else 0, lacks != "states"
    async with place.serving() as client:
        await minted(client, known)  # the contract refuses it, and its event is not told of
        await there(lambda: int(place.node.ask("eth_getTransactionCount", place.address, "latest"), 16) == 3)
        place.node.mine(3)
        await minted(client, asked)
        await there(lambda: place.supply() == 3)
        place.node.mine(3)
        (mint,) = await settled(client, asked)
        assert mint.status is MintStatus.CONFIRMED
        await in_status(client, known, MintStatus.MINED)  # and not FAILED: the contract knows it
        picky.oldest, picky.has_states = 0, True
        (mint,) = await settled(client, known)
    assert (mint.status, mint.tx_hash) == (MintStatus.CONFIRMED, first.tx_hash)


@pytest.mark.parametrize("said", [None, "0x0"])
async def test_rebuilding_takes_the_nonces_that_are_spent_where_the_node_tells_of_fewer_as_pending(
    place: Place, picky: Picky, said: str | None
) -> None:
    asked = order()
    async with place.serving() as client:
        await minted(client, asked)
        place.node.mine(3)
        await settled(client, asked)
    place.lose_tables()
    picky.batches = "status"
    picky.nonces = {"pending": said}
    assert (await place.rebuilt()).next_nonce == 2


async def test_rebuilding_for_another_contract_than_is_kept_changes_nothing(place: Place) -> None:
    before = place.rows("SELECT * FROM chain.wallet_nonces"), place.rows("SELECT * FROM chain.contracts")
    ours = place.environment["CHAIN_CONTRACT"]
    place.do(f"UPDATE chain.contracts SET address = '0x{'12' * 20}' WHERE address = '{ours.lower()}'")
    with pytest.raises(ChainAway, match="another contract"):
        await place.rebuilt()
    place.do(f"UPDATE chain.contracts SET address = '{ours.lower()}'")
    after = place.rows("SELECT * FROM chain.wallet_nonces"), place.rows("SELECT * FROM chain.contracts")
    assert before == after
