"""A chain to test on, as a process: the same by py-evm and by anvil. It may be killed, frozen, and told what to do."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from app.contexts.chain.adapters.evm import node as evm
from app.contexts.chain.dev_chain.anvil import installed
from app.platform.process.processes import comes_true, free_port

KINDS: Final = ("python", "anvil")
CHAIN_ID: Final = 31337
ROOT: Final = Path(__file__).parents[2]
LIMIT_S: Final = 120.0
NO_ANVIL: Final = "these tests need anvil: npm install --global @foundry-rs/anvil"


class RpcError(Exception):
    """What the node has refused."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code, self.data = error["code"], error.get("data")


class Node:
    """A node with a folder of its own. A block comes when something is sent; by time only where `block_s` says so."""

    def __init__(self, kind: str, folder: Path, block_s: int = 0, funded: str = "") -> None:
        self.kind, self.folder, self.port = kind, folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.funded, self.block_s = funded, block_s
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=LIMIT_S, trust_env=False)

    def start(self) -> None:
        """Start it, with what it had."""
        settings = {
            "DEV_CHAIN_PORT": str(self.port), "DEV_CHAIN_ID": str(CHAIN_ID), "DEV_CHAIN_FOLDER": str(self.folder),
            "DEV_CHAIN_FUNDED": self.funded, "DEV_CHAIN_BLOCK_S": str(self.block_s), "DEV_CHAIN_ENGINE": self.kind,
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.contexts.chain.dev_chain"], env=os.environ | settings,
                stdout=log, stderr=log, cwd=ROOT, start_new_session=True,
            )  # fmt: skip
        assert comes_true(self._answers, LIMIT_S), (self.folder / "log").read_text()

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, and whatever it has started."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Ask it nothing more."""
        self._http.close()

    def freeze(self) -> None:
        """Have it do nothing: it takes connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        self._signal(signal.SIGCONT)

    def ask(self, method: str, *params: Any) -> Any:
        """What it answers.

        Raises:
            RpcError: it refuses.
        """
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.post(self.url, json=asked).json()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def mine(self, blocks: int = 1) -> None:
        """Make blocks."""
        self.ask("anvil_mine", hex(blocks))

    def hold(self) -> None:
        """Make no block because something was sent."""
        self._mine_on_demand(whether=False)

    def release(self) -> None:
        """Make blocks as before, the first of what waits."""
        self._mine_on_demand(whether=True)
        self.ask("evm_mine")

    def reorg(self, depth: int) -> None:
        """Put empty blocks in the place of the last ones: what was in these is nowhere."""
        self.ask("anvil_reorg", depth, [])

    def forget(self) -> None:
        """Forget what waits for a block."""
        self.ask("anvil_dropAllTransactions")

    def raise_base_fee(self, wei: int) -> None:
        """Have the next block ask for so much for a unit of gas; those after it ask for less, by the rules."""
        self.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    @property
    def height(self) -> int:
        """The number of the last block."""
        return int(self.ask("eth_blockNumber"), 16)

    def block(self, number: str, *, whole: bool = False) -> Any:
        """A block, with the hashes of its transactions, or with these as they are; None where there is none."""
        return self.ask("eth_getBlockByNumber", number, whole)

    def receipt(self, tx_hash: str) -> dict[str, Any]:
        """What became of a transaction, once it is in a block."""
        found: list[dict[str, Any]] = []

        def landed() -> bool:
            receipt = self.ask("eth_getTransactionReceipt", tx_hash)
            found.extend([receipt] if receipt else [])
            return bool(receipt)

        assert comes_true(landed, LIMIT_S), f"{tx_hash} is in no block"
        return found[0]

    def _mine_on_demand(self, *, whether: bool) -> None:
        self.ask("evm_setAutomine", whether)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            return self._http.get(f"{self.url}/health").status_code == 200
        except httpx.HTTPError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if number == signal.SIGTERM:
            self._process.terminate()  # alone: what it has started it ends itself
        else:
            self._signal(number)
        self._process.wait(LIMIT_S)
        self._process = None


@contextmanager
def node(kind: str, folder: Path, block_s: int = 0, funded: str = "") -> Iterator[Node]:
    """A node that serves, ended with the block."""
    if kind == "anvil" and installed("anvil") is None:
        pytest.fail(NO_ANVIL)
    running = Node(kind, folder, block_s, funded)
    running.start()
    try:
        yield running
    finally:
        running.kill()
        running.close()


def answers_within(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Have whoever asks a node within this process wait so long for it, unless they say how long."""
    for ask in (evm.Node.ask, evm.Node.call):
        usual = ask.__kwdefaults__
        assert usual is not None
        patch.setitem(usual, "timeout_s", seconds)


def new_key() -> str:
    """A key that nobody has."""
    return "0x" + secrets.token_hex(32)
