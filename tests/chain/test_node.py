"""The node of a run, on both EVMs: what an adapter needs of it, and what is done to it in tests."""

import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.contexts.chain.adapters.evm import contract
from app.platform.process.processes import comes_true
from tests.chain.accounts import GWEI, Somebody
from tests.chain.nodes import CHAIN_ID, LIMIT_S, Node, RpcError, node

NOBODY = "0x" + "de" * 20


def nonce(node: Node, of: Somebody, tag: str = "latest") -> int:
    return int(node.ask("eth_getTransactionCount", of.address, tag), 16)


def test_what_was_sent_is_in_a_block_soon_and_told_of(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    before = chain_node.height
    receipt = somebody.do(NOBODY, value=7, gas=21_000)
    assert (receipt["status"], receipt["from"], receipt["gasUsed"]) == ("0x1", somebody.address, hex(21_000))
    assert int(receipt["blockNumber"], 16) > before
    assert int(chain_node.ask("eth_chainId"), 16) == CHAIN_ID
    shown = chain_node.ask("eth_getTransactionByHash", receipt["transactionHash"])
    assert (shown["nonce"], shown["value"], shown["blockHash"]) == ("0x0", "0x7", receipt["blockHash"])
    block = chain_node.block(receipt["blockNumber"])
    assert (block["hash"], block["transactions"]) == (receipt["blockHash"], [receipt["transactionHash"]])
    whole = chain_node.block(receipt["blockNumber"], whole=True)
    assert whole["transactions"][0]["input"] == "0x"
    price = int(receipt["effectiveGasPrice"], 16)
    assert price == int(block["baseFeePerGas"], 16) + GWEI
    assert int(chain_node.ask("eth_getBalance", somebody.address, "latest"), 16) == 10**21 - 7 - 21_000 * price


def test_blocks_follow_each_other(chain_node: Node) -> None:
    chain_node.mine(3)
    height = chain_node.height
    blocks = [chain_node.block(hex(number)) for number in range(height - 2, height + 1)]
    assert [block["parentHash"] for block in blocks[1:]] == [block["hash"] for block in blocks[:-1]]
    times = [int(block["timestamp"], 16) for block in blocks]
    assert times == sorted(times)
    assert chain_node.block(hex(height + 1)) is None


def test_fees_are_told(chain_node: Node) -> None:
    chain_node.mine(2)
    history = chain_node.ask("eth_feeHistory", "0x2", "latest", [50])
    assert (len(history["baseFeePerGas"]), len(history["reward"])) == (3, 2)
    tip, price = (int(chain_node.ask(each), 16) for each in ("eth_maxPriorityFeePerGas", "eth_gasPrice"))
    assert 0 < tip <= price


def test_what_waits_counts_as_pending_and_gaps_do_not(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    chain_node.hold()
    try:
        first, later = somebody.send(NOBODY, nonce=0), somebody.send(NOBODY, nonce=2)
        assert chain_node.ask("eth_getTransactionReceipt", first) is None
        assert chain_node.ask("eth_getTransactionByHash", first)["blockNumber"] is None
        assert (nonce(chain_node, somebody), nonce(chain_node, somebody, "pending")) == (0, 1)
    finally:
        chain_node.release()
    assert chain_node.receipt(first)["status"] == "0x1"
    assert chain_node.ask("eth_getTransactionReceipt", later) is None
    somebody.do(NOBODY, nonce=1)
    assert chain_node.receipt(later)["status"] == "0x1"


def test_a_replacement_pays_more(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    chain_node.hold()
    try:
        first = somebody.send(NOBODY, nonce=0)
        with pytest.raises(RpcError, match="underpriced"):
            somebody.send(NOBODY, value=1, nonce=0)
        with pytest.raises(RpcError, match=r"already (known|imported)"):
            somebody.send(NOBODY, nonce=0)
        second = somebody.send(NOBODY, nonce=0, maxFeePerGas=55 * GWEI, maxPriorityFeePerGas=11 * GWEI // 10)
    finally:
        chain_node.release()
    assert chain_node.receipt(second)["status"] == "0x1"
    assert chain_node.ask("eth_getTransactionByHash", first) is None


def test_what_can_be_in_no_block_is_refused(chain_node: Node) -> None:
    somebody, poor = Somebody(chain_node), Somebody(chain_node, poor=True)
    somebody.do(NOBODY)
    refused: dict[str, Callable[[], object]] = {
        "nonce too low": lambda: somebody.send(NOBODY, nonce=0),
        r"(?i)insufficient funds": lambda: poor.send(NOBODY),
        r"(?i)chain.?id": lambda: somebody.send(NOBODY, chainId=1),
        r"(?i)intrinsic gas": lambda: somebody.send(NOBODY, gas=20_999),
        r"(?i)decode": lambda: chain_node.ask("eth_sendRawTransaction", "0x02c0"),
    }
    for reason, send in refused.items():
        with pytest.raises(RpcError, match=reason):
            send()


def test_a_transaction_that_pays_too_little_for_a_block_waits_for_one_that_is_cheaper(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    chain_node.hold()
    try:
        raw = somebody.signed(NOBODY)
        sent = chain_node.ask("eth_sendRawTransaction", raw)
        chain_node.raise_base_fee(60 * GWEI)
        chain_node.mine()
        assert chain_node.ask("eth_getTransactionReceipt", sent) is None
        chain_node.mine()  # each asks for an eighth less: 52.5, 45.9
        if chain_node.kind == "anvil":  # which forgets it
            assert chain_node.ask("eth_getTransactionByHash", sent) is None
            chain_node.ask("eth_sendRawTransaction", raw)
        chain_node.mine()
        assert chain_node.receipt(sent)["status"] == "0x1"
    finally:
        chain_node.release()


def test_what_is_forgotten_can_be_sent_again(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    chain_node.hold()
    try:
        raw = somebody.signed(NOBODY)
        sent = chain_node.ask("eth_sendRawTransaction", raw)
        chain_node.forget()
        chain_node.mine()
        assert chain_node.ask("eth_getTransactionByHash", sent) is None
        assert chain_node.ask("eth_sendRawTransaction", raw) == sent
    finally:
        chain_node.release()
    assert chain_node.receipt(sent)["status"] == "0x1"


def test_after_a_reorg_what_was_in_its_blocks_is_nowhere(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    stays = somebody.do(NOBODY)
    raw = somebody.signed(NOBODY, value=5)
    receipt = chain_node.receipt(chain_node.ask("eth_sendRawTransaction", raw))
    chain_node.mine(2)
    height = chain_node.height
    chain_node.reorg(3)
    assert chain_node.height == height
    assert chain_node.ask("eth_getTransactionReceipt", receipt["transactionHash"]) is None
    assert chain_node.block(receipt["blockNumber"])["hash"] != receipt["blockHash"]
    assert chain_node.ask("eth_getTransactionReceipt", stays["transactionHash"])["blockHash"] == stays["blockHash"]
    assert nonce(chain_node, somebody) == 1
    again = chain_node.receipt(chain_node.ask("eth_sendRawTransaction", raw))
    assert again["transactionHash"] == receipt["transactionHash"]


def test_gas_is_estimated_so_that_it_suffices(chain_node: Node) -> None:
    somebody = Somebody(chain_node)
    data = contract.deployment("Cashback", "CASH", 6, somebody.address, somebody.address)
    estimated = int(chain_node.ask("eth_estimateGas", {"from": somebody.address, "data": data}), 16)
    assert somebody.do(None, data, gas=estimated)["status"] == "0x1"


def test_a_killed_node_has_what_it_had(mortal_node: Node) -> None:
    somebody = Somebody(mortal_node)
    data = contract.deployment("Cashback", "CASH", 6, somebody.address, somebody.address)
    made = somebody.do(None, data)
    mortal_node.mine(5)
    assert comes_true(lambda: mortal_node.kind == "python" or _noted(mortal_node), LIMIT_S)
    height = mortal_node.height
    mortal_node.kill()
    mortal_node.start()
    assert mortal_node.height >= height
    receipt = mortal_node.receipt(made["transactionHash"])
    assert receipt["contractAddress"] == made["contractAddress"]
    call = {"to": made["contractAddress"], "data": contract.MINTER}
    assert contract.read_address(mortal_node.ask("eth_call", call, "latest")) == somebody.address
    assert somebody.do(NOBODY)["status"] == "0x1"


def test_a_killed_node_does_what_it_did_in_the_order_of_its_blocks(mortal_node: Node) -> None:
    owner, minter = Somebody(mortal_node), Somebody(mortal_node)
    data = contract.deployment("Cashback", "CASH", 6, owner.address, minter.address)
    token = owner.do(None, data)["contractAddress"]
    mortal_node.mine(2)
    owner.do(token, contract.minter_change(NOBODY))
    mint = minter.signed(token, contract.minting(uuid.uuid4(), NOBODY, 7))
    refused = mortal_node.receipt(mortal_node.ask("eth_sendRawTransaction", mint))
    assert refused["status"] == "0x0"
    mortal_node.reorg(2)  # nobody has forbidden it
    assert mortal_node.ask("eth_getTransactionReceipt", refused["transactionHash"]) is None
    taken = mortal_node.receipt(mortal_node.ask("eth_sendRawTransaction", mint))
    assert (taken["status"], taken["transactionHash"]) == ("0x1", refused["transactionHash"])
    mortal_node.mine(2)
    assert comes_true(lambda: mortal_node.kind == "python" or _noted(mortal_node), LIMIT_S)
    for _ in range(2):
        mortal_node.kill()
        mortal_node.start()
        assert mortal_node.receipt(taken["transactionHash"])["status"] == "0x1"


def _noted(node: Node) -> bool:
    return int((node.folder / "height").read_bytes()) >= node.height


def test_a_node_that_ended_in_good_order_has_its_blocks_as_they_were(mortal_node: Node) -> None:
    receipt = Somebody(mortal_node).do(NOBODY)
    mortal_node.mine(3)
    height = mortal_node.height
    mortal_node.stop()
    mortal_node.start()
    assert mortal_node.height >= height
    assert mortal_node.receipt(receipt["transactionHash"])["blockHash"] == receipt["blockHash"]


def test_a_frozen_node_answers_once_it_goes_on(mortal_node: Node) -> None:
    mortal_node.freeze()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            mortal_node.url,
            json={"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"},
            timeout=httpx.Timeout(LIMIT_S, read=0.5),
        )
    mortal_node.thaw()
    assert mortal_node.height >= 0


def test_there_is_a_block_a_second_by_itself(tmp_path: Path) -> None:
    with node("python", tmp_path, block_s=1) as running:
        assert comes_true(lambda: running.height >= 2, LIMIT_S)
