"""What `strongbox verify` finds of what was signed, of the contract, and of what was asked for."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from app.contexts.chain.adapters.operations.checks import checks_of_chain
from app.contexts.chain.adapters.operations.parts import parts_of_chain
from app.contexts.mint.adapters.operations.checks import REQUESTS
from app.main.local.roles import Urls
from app.platform.eip55 import checksummed
from app.platform.operations.health import Health, State
from app.platform.postgres.evidence import Database
from app.platform.postgres.facts import Facts
from app.platform.postgres.integrity import snapshot
from app.platform.postgres.walls import Tenants
from tests.chain.adapter import SOMEBODY, Place, minted, order, settled, there
from tests.chain.nodes import Node

pytestmark = pytest.mark.usefixtures("patient_pools")


@pytest.fixture
async def place(chain_node: Node, database: Urls, tmp_path: Path) -> Place:
    """A place where three mints are confirmed, and were asked for."""
    place = Place(database, chain_node, tmp_path)
    await place.deployed()
    asked = [order(amount) for amount in (1, 2, 3)]
    async with place.serving() as client:
        for each in asked:
            await minted(client, each)
        await there(lambda: place.supply() == 6)
        chain_node.mine(3)
        mints = await settled(client, *asked)
    for each, mint in zip(asked, mints, strict=True):
        place.do(asking(each.request_id, "MINTED", each.to, each.amount, str(mint.tx_hash)))
    return place


_ASK = """
    INSERT INTO mint.mint_requests (request_id, entry_id, user_id, place, address, amount, status, tx_hash, ask_after,
                                    created_at, submitted_at, settled_at)
    VALUES ('{id_}', gen_random_uuid(), gen_random_uuid(), 1, '{to}', {amount}, '{status}', '{tx_hash}',
            {ask_after}, now(), now(), {settled_at})
"""


def asking(id_: UUID, status: str, to: str, amount: int, tx_hash: str = "0x" + 64 * "1") -> str:
    """The statement that writes what minting has of a request."""
    is_open = status == "SUBMITTED"
    times = {"ask_after": "now()" if is_open else "NULL", "settled_at": "NULL" if is_open else "now()"}
    return _ASK.format(id_=id_, status=status, to=to, amount=amount, tx_hash=tx_hash, **times)


async def offenders(place: Place, notes: list[str] | None = None, **settings: str) -> Sequence[tuple[str, str]]:
    """Each with the check that it offends."""
    url = place.database.app_url
    checks, said = checks_of_chain(Database("DATABASE_URL", url), place.settings(**settings)), notes or []
    assert checks.agree is not None
    async with (
        checks.between((notes if notes is not None else said).append) as compare,
        snapshot(url) as before, snapshot(url) as others, snapshot(url) as after,
    ):  # fmt: skip
        facts = Facts(Tenants(others, f"SELECT '{UUID(int=1)}'"), {"mint.requests": (others, REQUESTS)})
        found = [*checks.within(after), *compare(after, after), *checks.agree(before, after, facts)]
        return [(check.name, line) for check in found async for line in check.offenders()]


async def test_all_holds_once_all_is_confirmed(place: Place) -> None:
    assert await offenders(place) == []


TAMPERED = {
    "a nonce that nothing was signed with": (
        "UPDATE chain.wallet_nonces SET next_nonce = next_nonce + 1",
        "chain_nonces_have_no_gap",
        "has used no nonce 4",
    ),
    "a nonce of two requests": (
        """
        INSERT INTO chain.superseded_transactions (tx_hash, request_id, sender, nonce, raw, max_fee_per_gas,
                                                   max_priority_fee_per_gas, reason, signed_at)
        SELECT '0x77', (SELECT request_id FROM chain.blockchain_transactions WHERE amount = 2), sender, nonce, raw, 1,
               1, 'stuck', now() FROM chain.blockchain_transactions WHERE amount = 1
        """,
        "chain_nonces_are_given_out_once",
        "is that of 2 requests",
    ),
    "a nonce that was never given out": (
        "UPDATE chain.blockchain_transactions SET nonce = 9 WHERE amount = 3",
        "chain_nonces_are_given_out_once",
        "was never given out",
    ),
    "more confirmed than there is": (
        "UPDATE chain.blockchain_transactions SET amount = 5 WHERE amount = 3",
        "supply_is_what_was_confirmed",
        "8 base units are confirmed, and the contract has 6",
    ),
    "more on the chain than was confirmed": (
        "UPDATE chain.blockchain_transactions SET status = 'FAILED', failure = 'REVERTED' WHERE amount = 3",
        "supply_is_what_was_confirmed",
        "the contract has 6 base units, 3 are confirmed and 0 under way",
    ),
    "an alarm": (
        "UPDATE chain.blockchain_transactions SET status = 'FAILED', failure = 'OTHER_CONTENT' WHERE amount = 3",
        "chain_has_what_was_asked_for",
        "was minted with another content",
    ),
    "something minted for nobody": (
        "DELETE FROM mint.mint_requests WHERE amount = 3",
        "mints_and_requests_agree",
        "nobody has asked for it",
    ),
    "minted by the word of nobody": (
        asking(UUID(int=7), "MINTED", SOMEBODY, 1),
        "mints_and_requests_agree",
        "is MINTED, and unknown on the chain",
    ),
    "failed and minted": (
        "UPDATE mint.mint_requests SET status = 'FAILED', reason = 'x' WHERE amount = 3",
        "mints_and_requests_agree",
        "has FAILED, and is CONFIRMED on the chain",
    ),
    "minted by another transaction": (
        "UPDATE mint.mint_requests SET tx_hash = '0x77' WHERE amount = 3",
        "mints_and_requests_agree",
        "is MINTED by 0x77, and on the chain by 0x",
    ),
    "a request's nonce filled with nothing": (
        """
        INSERT INTO chain.filling_transactions (tx_hash, sender, nonce, raw, max_fee_per_gas, max_priority_fee_per_gas)
        SELECT '0x77', sender, nonce, raw, 1, 1 FROM chain.blockchain_transactions WHERE amount = 1
        """,
        "chain_nonces_are_given_out_once",
        "is that of 2 requests",
    ),
    "another amount": (
        "UPDATE mint.mint_requests SET amount = 4 WHERE amount = 3",
        "mints_and_requests_agree",
        "is for 4 to",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_does_not_hold_is_named(place: Place, how: str) -> None:
    statement, check, line = TAMPERED[how]
    place.do(statement)
    found = await offenders(place)
    assert any(name == check and line in said for name, said in found), found


async def test_what_is_under_way_is_no_offence(place: Place) -> None:
    asked = order(10)
    async with place.serving() as client:
        await minted(client, asked)
    place.do(asking(asked.request_id, "SUBMITTED", asked.to, asked.amount))
    assert await offenders(place) == []


async def test_a_contract_that_cannot_be_asked_is_noted(place: Place) -> None:
    for settings in ({"EVM_RPC_URL": "http://127.0.0.1:1"}, {"EVM_RPC_URL": ""}):
        notes: list[str] = []
        assert await offenders(place, notes, **settings) == []
        assert notes[0].startswith("the contract was not looked at: ")


async def test_status_looks_at_node_adapter_and_mints(place: Place) -> None:
    async def looks(**settings: str) -> dict[str, Health]:
        parts = parts_of_chain(place.database.app_url, place.settings(**settings))
        return {part.name: await part.look() for part in parts}

    found = await looks()
    assert found["chain node"].seen.startswith(f"block {place.node.height}, ")
    assert found["chain adapter"].hint == "CHAIN_GRPC_URL is not set"
    assert (found["mints on the chain"].state, found["mints on the chain"].seen) == (State.OK, "0 under way")
    async with place.serving() as _:
        pass
    assert (await looks(EVM_RPC_URL=""))["chain node"].hint == "EVM_RPC_URL is not set"
    place.node.ask("anvil_setBalance", place.address, hex(1))
    poor = await looks()
    assert poor["chain node"].hint == f"{checksummed(place.address)}, which mints, has little to pay fees with"
    place.do("UPDATE chain.blockchain_transactions SET status = 'BROADCAST', landed_hash = NULL, block_number = NULL,"
             " created_at = now() - interval '1 hour' WHERE amount = 3")  # fmt: skip
    assert (await looks())["mints on the chain"].seen.endswith("; 1 stuck")
    place.do("UPDATE chain.blockchain_transactions SET status = 'FAILED', failure = 'OTHER_CONTENT' WHERE amount = 3")
    assert (await looks())["mints on the chain"].state is State.DEGRADED
