"""What is wrong with a request, or with a setting of the node's, is answered in words and with a code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from tests.chain.nodes import CHAIN_ID, LIMIT_S, ROOT, Node, node


@pytest.fixture(scope="module")
def own_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with node("python", tmp_path_factory.mktemp("own-node")) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"method": "eth_nothing"}', -32601),
        (b'{"method": "eth_chainId", "params": {}}', -32602),
        (b'{"method": "eth_getBalance", "params": ["0x12", "latest"]}', -32602),
        (b'{"method": "eth_getBalance", "params": []}', -32602),
        (b'{"method": "eth_getBlockByNumber", "params": ["soon", false]}', -32602),
        (b'{"method": "eth_getLogs", "params": [{"topics": [["0x12"]]}]}', -32602),
        (b'{"method": "eth_getLogs", "params": [{"fromBlock": "0x2", "toBlock": "0x1"}]}', -32000),
        (b'{"method": "eth_call", "params": [[], "latest"]}', -32602),
    ],
    ids=[
        "no JSON",
        "no batch",
        "a number",
        "no method",
        "params",
        "address",
        "nothing",
        "tag",
        "topic",
        "range",
        "call",
    ],
)
def test_what_is_wrong_is_answered_with_a_code(own_node: Node, body: bytes, code: int) -> None:
    answer = httpx.post(own_node.url, content=body, timeout=LIMIT_S).json()
    assert answer["error"]["code"] == code


def test_a_batch_is_answered_one_by_one(chain_node: Node) -> None:
    asked = [{"jsonrpc": "2.0", "id": number, "method": "eth_chainId", "params": []} for number in range(3)]
    answers = httpx.post(
        chain_node.url, content=json.dumps(asked), timeout=LIMIT_S, headers={"content-type": "application/json"}
    ).json()
    assert [(each["id"], each["result"]) for each in answers] == [(number, hex(CHAIN_ID)) for number in range(3)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DEV_CHAIN_PORT", "70000"),
        ("DEV_CHAIN_ID", "-1"),
        ("DEV_CHAIN_FUNDED", "0x12"),
        ("DEV_CHAIN_ENGINE", "geth"),
        ("DEV_CHAIN_BLOCK_S", "soon"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, value: str) -> None:
    command = [sys.executable, "-m", "app.contexts.chain.dev_chain"]
    done = subprocess.run(
        command, env=os.environ | {setting: value}, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert setting in done.stderr
