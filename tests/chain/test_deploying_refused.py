"""What the contract is not made for: it is said in one line, and nothing is kept of it."""

from pathlib import Path

import psycopg
import pytest

from app.contexts.chain.domain.refusals import CannotDeploy, ChainAway
from app.main.local.roles import Urls
from tests.chain.adapter import Place
from tests.chain.nodes import CHAIN_ID, Node


@pytest.fixture
def place(database: Urls, chain_node: Node, tmp_path: Path) -> Place:
    return Place(database, chain_node, tmp_path)


def kept(place: Place) -> int:
    with psycopg.connect(place.database.app_url) as connection:
        row = connection.execute("SELECT count(*) FROM chain.contracts").fetchone()
    assert row is not None
    return int(row[0])


async def test_a_key_without_money_makes_no_contract_and_is_told_its_address(place: Place) -> None:
    place.node.ask("anvil_setBalance", place.address, "0x0")
    with pytest.raises(CannotDeploy, match=r"0x[0-9a-fA-F]{40} has 0\.000000 of the chain's coin") as refused:
        await place.deployed()
    assert place.address in str(refused.value).lower()
    assert kept(place) == 0
    place.node.ask("anvil_setBalance", place.address, hex(10**18))
    assert await place.deployed()


async def test_a_node_of_another_chain_is_told_with_both_ids(place: Place) -> None:
    with pytest.raises(ChainAway, match=f"the node's chain is {CHAIN_ID}, CHAIN_ID says 1$"):
        await place.deployed(CHAIN_ID="1")
    assert kept(place) == 0


async def test_another_contract_than_is_kept_is_told_by_the_one_that_is_kept(place: Place) -> None:
    address = await place.deployed()
    with pytest.raises(CannotDeploy, match=f"the tables have the contract {address}, CHAIN_CONTRACT is another"):
        await place.deployed(CHAIN_CONTRACT="0x" + 40 * "1")
