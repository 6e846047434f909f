"""The artefact is what the compiler makes of the source, and our encoding is the artefact's."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from Crypto.Hash import keccak
from eth_abi.abi import encode

from app.contexts.chain.adapters.evm import contract
from tests.chain.contract.compiler import COMPILER, compiled

REQUEST = uuid.UUID("0190c7a0-0000-7000-8000-000000000001")
WORD = REQUEST.bytes + bytes(16)
SOMEBODY = "0x00000000000000000000000000000000000000ab"
OTHER = "0x00000000000000000000000000000000000000cd"


def signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(one['type'] for one in entry['inputs'])})"


def digest(text: str) -> bytes:
    return keccak.new(data=text.encode(), digest_bits=256).digest()


def declared(kind: str) -> dict[str, str]:
    return {entry["name"]: signature(entry) for entry in contract.artefact().abi if entry["type"] == kind}


def test_the_artefact_is_what_the_compiler_makes_of_the_source() -> None:
    if not COMPILER.exists():
        pytest.fail("this test needs the compiler: make .venv-vyper/.ready")
    assert compiled() == json.loads(contract.ARTEFACT.read_text())


def test_it_has_the_functions_and_the_event_that_were_agreed_on() -> None:
    functions, events = declared("function"), declared("event")
    assert functions["mint"] == "mint(bytes32,address,uint256)"
    assert events["Minted"] == "Minted(bytes32,address,uint256)"
    minted = next(entry for entry in contract.artefact().abi if entry["name"] == "Minted")
    assert [(one["name"], one["indexed"]) for one in minted["inputs"]] == [
        ("requestId", True), ("to", True), ("amount", False),
    ]  # fmt: skip
    erc20 = {"totalSupply", "balanceOf", "allowance", "transfer", "transferFrom", "approve"}
    assert erc20 | {"name", "symbol", "decimals"} <= functions.keys()
    assert functions.keys() - erc20 == {"name", "symbol", "decimals", "mint", "known", "minter", "setMinter", "owner"}


@pytest.mark.parametrize(
    ("function", "data", "values"),
    [
        ("mint", contract.minting(REQUEST, SOMEBODY, 2**256 - 1), [WORD, SOMEBODY, 2**256 - 1]),
        ("balanceOf", contract.balance_of(SOMEBODY), [SOMEBODY]),
        ("known", contract.known(REQUEST), [WORD]),
        ("setMinter", contract.minter_change(SOMEBODY), [SOMEBODY]),
        ("totalSupply", contract.TOTAL_SUPPLY, []),
        ("decimals", contract.DECIMALS, []),
        ("minter", contract.MINTER, []),
        ("owner", contract.OWNER, []),
    ],
    ids=["mint", "balanceOf", "known", "setMinter", "totalSupply", "decimals", "minter", "owner"],
)
def test_calls_are_encoded_as_by_the_library(function: str, data: str, values: list[Any]) -> None:
    text = declared("function")[function]
    kinds = [kind for kind in text.partition("(")[2].rstrip(")").split(",") if kind]
    assert bytes.fromhex(data[2:]) == digest(text)[:4] + encode(kinds, values)


@pytest.mark.parametrize("name", ["", "Cashback", "ä" * 32], ids=["empty", "short", "64 bytes"])
def test_a_deployment_is_encoded_as_by_the_library(name: str) -> None:
    kinds = ["string", "string", "uint8", "address", "address"]
    arguments = encode(kinds, [name, "CASH", 6, SOMEBODY, OTHER]).hex()
    assert contract.deployment(name, "CASH", 6, SOMEBODY, OTHER) == contract.artefact().bytecode + arguments


@pytest.mark.parametrize(
    ("name", "symbol", "decimals"), [("ä" * 33, "C", 6), ("C", "C" * 17, 6), ("C", "C", 256), ("C", "C", -1)]
)
def test_what_the_constructor_would_refuse_is_not_sent(name: str, symbol: str, decimals: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|decimals"):
        contract.deployment(name, symbol, decimals, SOMEBODY, OTHER)


def test_the_event_is_read_as_it_was_logged() -> None:
    assert "0x" + digest("Minted(bytes32,address,uint256)").hex() == contract.MINTED
    log = {
        "topics": [contract.MINTED, contract.request_topic(REQUEST), "0x" + encode(["address"], [SOMEBODY]).hex()],
        "data": "0x" + encode(["uint256"], [2**255 + 1]).hex(),
    }
    assert contract.read_minted(log) == (REQUEST, SOMEBODY, 2**255 + 1)
    stranger = log | {"topics": [contract.MINTED, "0x" + "11" * 32, log["topics"][2]]}
    assert contract.read_minted(stranger).request_id is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"topics": []},
        {"topics": [contract.MINTED, "0x" + "00" * 32]},
        {"topics": [contract.MINTED, "0x" + "00" * 32, "0x" + "11" * 32], "data": "0x" + "00" * 32},
        {"topics": [contract.MINTED, "0x" + "00" * 32, "0x" + "00" * 32], "data": "0x"},
        {"topics": [contract.MINTED, 7, "0x" + "00" * 32], "data": "0x" + "00" * 32},
    ],
    ids=["nothing", "no topics", "a topic too few", "no address", "no amount", "a number"],
)
def test_what_is_no_such_event_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        contract.read_minted(broken)


def test_a_reason_is_read_and_what_is_none_is_none() -> None:
    data = "0x08c379a0" + encode(["string"], [contract.REQUEST_KNOWN]).hex()
    assert contract.refusal(data) == "request known"
    assert [contract.refusal(other) for other in (None, "", "0x", "0x08c379a0", data[:-64], {"data": 1})] == [None] * 6
    assert contract.read_number("0x" + "00" * 31 + "06") == 6
    assert contract.read_address("0x" + encode(["address"], [SOMEBODY]).hex()) == SOMEBODY
    for answer in ("0x", "0x" + "11" * 33):
        with pytest.raises(ValueError, match="word"):
            contract.read_number(answer)
