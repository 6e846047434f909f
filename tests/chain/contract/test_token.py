"""What the contract does, on both EVMs."""

import uuid
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from app.contexts.chain.adapters.evm import contract
from tests.chain.accounts import Somebody
from tests.chain.nodes import Node, RpcError

ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
MOST = 2**256 - 1


class Token:
    """A contract that was made for the test."""

    def __init__(self, node: Node) -> None:
        self.node, self.owner, self.minter = node, Somebody(node), Somebody(node)
        data = contract.deployment("Cashback", "CASH", 6, self.owner.address, self.minter.address)
        receipt = Somebody(node).do(None, data)
        assert receipt["status"] == "0x1"
        self.address = str(receipt["contractAddress"]).lower()

    def call(self, signature: str, *values: Any) -> str:
        """The `data` of a call, answered."""
        return self.ask(data(signature, *values))

    def ask(self, call: str) -> str:
        """What a call answers."""
        return str(self.node.ask("eth_call", {"to": self.address, "data": call}, "latest"))

    def refusal(self, who: str, call: str) -> str | None:
        """Why the contract refuses the call."""
        with pytest.raises(RpcError) as refused:
            self.node.ask("eth_call", {"from": who, "to": self.address, "data": call}, "latest")
        assert refused.value.code == 3
        return contract.refusal(refused.value.data)

    def balance(self, holder: str) -> int:
        return contract.read_number(self.call("balanceOf(address)", holder))


def data(signature: str, *values: Any) -> str:
    kinds = [kind for kind in signature.partition("(")[2].rstrip(")").split(",") if kind]
    return "0x" + (keccak(signature.encode())[:4] + encode(kinds, values)).hex()


@pytest.fixture
def token(chain_node: Node) -> Token:
    return Token(chain_node)


def test_it_says_what_it_is(token: Token) -> None:
    assert decode(["string"], bytes.fromhex(token.call("name()")[2:])) == ("Cashback",)
    assert decode(["string"], bytes.fromhex(token.call("symbol()")[2:])) == ("CASH",)
    assert contract.read_number(token.call("decimals()")) == 6
    assert contract.read_number(token.call("totalSupply()")) == 0
    assert contract.read_address(token.call("owner()")) == token.owner.address
    assert contract.read_address(token.call("minter()")) == token.minter.address


def test_a_request_is_minted_for_once_whatever_it_asks_for_then(token: Token) -> None:
    request = uuid.uuid4()
    assert contract.read_number(token.ask(contract.known(request))) == 0
    first = token.minter.do(token.address, contract.minting(request, ALICE, 1_250_000))
    assert first["status"] == "0x1"
    minted, transfer = first["logs"]
    assert contract.read_minted(minted) == (request, ALICE, 1_250_000)
    assert transfer["topics"][0] == "0x" + keccak(b"Transfer(address,address,uint256)").hex()
    for again in (contract.minting(request, ALICE, 1_250_000), contract.minting(request, BOB, 1)):
        assert token.refusal(token.minter.address, again) == contract.REQUEST_KNOWN
        second = token.minter.do(token.address, again)
        assert (second["status"], second["logs"]) == ("0x0", [])
    assert token.balance(ALICE) == contract.read_number(token.call("totalSupply()")) == 1_250_000
    assert contract.read_number(token.ask(contract.known(request))) == 1


def test_its_events_are_found_by_the_request(token: Token) -> None:
    requests = [uuid.uuid4() for _ in range(3)]
    for number, request in enumerate(requests, 1):
        token.minter.do(token.address, contract.minting(request, BOB, number))
    wanted = {"fromBlock": "0x0", "toBlock": "latest", "address": token.address}
    every = token.node.ask("eth_getLogs", wanted | {"topics": [contract.MINTED]})
    assert [contract.read_minted(log)[::2] for log in every] == [(one, n) for n, one in enumerate(requests, 1)]
    one = token.node.ask("eth_getLogs", wanted | {"topics": [contract.MINTED, contract.request_topic(requests[1])]})
    assert [contract.read_minted(log) for log in one] == [(requests[1], BOB, 2)]
    assert {log["removed"] for log in every} == {False}


@pytest.mark.parametrize(
    ("to", "amount", "reason"),
    [("0x" + "00" * 20, 1, "to nobody"), (ALICE, 0, "nothing to mint")],
    ids=["nobody", "nothing"],
)
def test_what_is_no_mint_is_refused(token: Token, to: str, amount: int, reason: str) -> None:
    assert token.refusal(token.minter.address, contract.minting(uuid.uuid4(), to, amount)) == reason


def test_only_the_minter_mints_and_only_the_owner_says_who_that_is(token: Token) -> None:
    mint, other = contract.minting(uuid.uuid4(), ALICE, 1), Somebody(token.node)
    for stranger in (token.owner.address, other.address):
        assert token.refusal(stranger, mint) == "not the minter"
    change = contract.minter_change(other.address)
    for stranger in (token.minter.address, other.address):
        assert token.refusal(stranger, change) == "not the owner"
    assert token.refusal(token.owner.address, contract.minter_change("0x" + "00" * 20)) == "no minter"
    told = token.owner.do(token.address, change)["logs"]
    assert [topic[-40:] for topic in told[0]["topics"][1:]] == [token.minter.address[2:], other.address[2:]]
    assert token.refusal(token.minter.address, mint) == "not the minter"
    assert other.do(token.address, mint)["status"] == "0x1"


def test_the_supply_has_an_end(token: Token) -> None:
    assert token.minter.do(token.address, contract.minting(uuid.uuid4(), ALICE, MOST))["status"] == "0x1"
    for holder in (ALICE, BOB):
        assert token.refusal(token.minter.address, contract.minting(uuid.uuid4(), holder, 1)) == "supply too large"
    assert token.balance(ALICE) == MOST


def test_tokens_are_handed_on_and_no_more_than_there_are(token: Token) -> None:
    holder, spender = Somebody(token.node), Somebody(token.node)
    token.minter.do(token.address, contract.minting(uuid.uuid4(), holder.address, 100))
    assert token.refusal(holder.address, data("transfer(address,uint256)", BOB, 101)) == "balance too small"
    assert token.refusal(holder.address, data("transfer(address,uint256)", "0x" + "00" * 20, 1)) == "to nobody"
    holder.do(token.address, data("transfer(address,uint256)", BOB, 30))
    holder.do(token.address, data("transfer(address,uint256)", holder.address, 70))
    assert (token.balance(holder.address), token.balance(BOB)) == (70, 30)
    take = data("transferFrom(address,address,uint256)", holder.address, ALICE, 40)
    assert token.refusal(spender.address, take) == "allowance too small"
    holder.do(token.address, data("approve(address,uint256)", spender.address, 50))
    assert spender.do(token.address, take)["status"] == "0x1"
    assert token.refusal(spender.address, take) == "allowance too small"
    assert contract.read_number(token.call("allowance(address,address)", holder.address, spender.address)) == 10
    assert (token.balance(holder.address), token.balance(ALICE)) == (30, 40)
    assert contract.read_number(token.call("totalSupply()")) == 100


@pytest.mark.parametrize("position", [0, 1], ids=["no owner", "no minter"])
def test_it_is_not_made_without_an_owner_or_a_minter(chain_node: Node, position: int) -> None:
    people = [ALICE, ALICE]
    people[position] = "0x" + "00" * 20
    call = {"from": ALICE, "data": contract.deployment("Cashback", "CASH", 6, *people)}
    with pytest.raises(RpcError) as refused:
        chain_node.ask("eth_estimateGas", call)
    assert contract.refusal(refused.value.data) == ("no owner", "no minter")[position]
