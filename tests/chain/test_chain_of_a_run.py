"""A run has a chain: a node, a key that has money, a contract, then the adapter. All of it is there after a kill -9."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.local import CHAIN_ID, adapter_of_a_run, node_of_a_run
from app.contexts.chain.adapters.evm.transactions import address_of
from app.contexts.chain.dev_chain.anvil import installed
from app.contexts.chain.settings import ChainSettings
from app.main.contexts import load
from app.main.local import plan
from app.main.local.clean import clean
from app.main.local.plan import defaults
from app.platform.process.processes import comes_true, command_line, free_port
from app.platform.process.run_state import RunState, read
from tests.chain.nodes import KINDS, NO_ANVIL, ROOT

LIMIT_S = 300.0
# RabbitMQ is left out, as it takes seconds.
RUN = """
import asyncio, sys
from pathlib import Path
from app.main.local import rabbitmq
from app.main.local.run import run
from app.main.contexts import load
rabbitmq.installed = lambda: None
sys.exit(asyncio.run(run(load(), Path(".strongbox"))))
"""


class Run:
    """A run of the chain alone, in a folder."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.folder, self.base = folder, folder / ".strongbox"
        self._settings = {"CONTEXTS": "chain", "DEV_CHAIN_ENGINE": engine, "PYTHONPATH": str(ROOT)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RunState:
        """Start it, and wait until it serves."""
        output = self.folder / "output"
        # The next free ones above the defaults, which it takes by itself, the runs of other tests would take as well.
        ports = {name: str(free_port()) for name in defaults(load(self._settings))}
        with output.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-c", RUN], cwd=self.folder, stdout=said, stderr=said,
                env=os.environ | self._settings | ports, start_new_session=True,
            )  # fmt: skip

        def serves() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, output.read_text()
            return "Ctrl-C ends it" in output.read_text()

        assert comes_true(serves, LIMIT_S), output.read_text()
        state = read(self.base)
        assert state is not None
        return state

    def kill(self) -> None:
        """End all of it at once, the servers aside."""
        state = read(self.base)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for process in state.processes.values() if state else ():
            if process.alive:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    if request.param == "anvil" and installed("anvil") is None:
        pytest.fail(NO_ANVIL)
    one = Run(tmp_path, request.param)
    yield one
    one.kill()
    clean(one.base)


def ask(state: RunState, method: str, *params: Any) -> Any:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(state.settings["EVM_RPC_URL"], json=asked, timeout=60).json()["result"]


def test_a_run_has_a_contract_and_still_has_it_after_a_kill(run: Run) -> None:
    state = run.start()
    address, key = state.settings["CHAIN_CONTRACT"], Path(state.settings["CHAIN_KEY_FILE"])
    minter = address_of(key_in(key))
    call = {"to": address, "data": contract.MINTER}
    assert contract.read_address(ask(state, "eth_call", call, "latest")) == minter
    assert int(ask(state, "eth_getBalance", minter, "latest"), 16) > 10**20
    assert key.stat().st_mode & 0o777 == 0o600
    secret, height = key.read_text().strip(), int(ask(state, "eth_blockNumber"), 16)
    assert {"node", "chain"} <= state.processes.keys()
    for process in state.processes.values():
        assert secret not in " ".join(command_line(process.pid))
    told = [run.base / "run.json", run.folder / "output", *(run.base / "logs").glob("*.log")]
    assert [path for path in told if secret in path.read_text()] == []
    run.kill()
    again = run.start()
    assert again.settings["CHAIN_CONTRACT"] == address
    assert contract.read_address(ask(again, "eth_call", call, "latest")) == minter
    assert int(ask(again, "eth_blockNumber"), 16) >= height - 2  # of anvil the last second's may be missing


def test_the_key_is_made_once_and_nobody_else_reads_it(tmp_path: Path) -> None:
    settings = ChainSettings()
    made = adapter_of_a_run(settings, tmp_path)
    assert made["CHAIN_ID"] == str(CHAIN_ID)
    assert made == adapter_of_a_run(settings, tmp_path)
    key = Path(made["CHAIN_KEY_FILE"])
    assert key.stat().st_mode & 0o777 == 0o600
    told = node_of_a_run(settings, tmp_path)
    assert told["DEV_CHAIN_FUNDED"] == address_of(key_in(key))
    assert key.read_text().strip() not in json.dumps([dict(made), dict(told)])


def test_whoever_gives_a_node_says_which_chain_and_key_are_used_there(tmp_path: Path) -> None:
    made = adapter_of_a_run(ChainSettings(evm_rpc_url="http://127.0.0.1:1", chain_grpc_port=7), tmp_path)
    assert made.keys() == {"CHAIN_TOKEN", "CHAIN_GRPC_URL"}
    assert made["CHAIN_GRPC_URL"] == "127.0.0.1:7"
    assert not (tmp_path / "chain/key").exists()


def test_on_ones_own_node_the_adapter_runs_once_there_is_a_contract() -> None:
    given = {"EVM_RPC_URL": "http://127.0.0.1:1"}
    without, with_one = (load({**given, **more}) for more in ({}, {"CHAIN_CONTRACT": "0x" + 40 * "1"}))
    assert [(name, one.gives) for name, one in plan.left_out(without)] == [("chain", "CHAIN_CONTRACT")]
    assert "chain" not in {worker.name for worker in plan.workers(without)}
    assert list(plan.left_out(with_one)) == list(plan.left_out(load({}))) == []
    assert "chain" in {worker.name for worker in plan.workers(with_one)}


def test_other_commands_in_the_folder_know_of_ones_own_node(tmp_path: Path) -> None:
    given = {
        "EVM_RPC_URL": "http://127.0.0.1:1", "CHAIN_ID": "5", "CHAIN_CONTRACT": "0x" + 40 * "1",
        "CHAIN_KEY_FILE": "chain.key", "CHAIN_TLS_CA": "ca.pem", "CHAIN_TOKEN": 32 * "t",
    }  # fmt: skip
    settings = load(given | {"CONTEXTS": "chain"})
    told = plan.places(settings) | plan.made_here(settings, {"CHAIN_GRPC_PORT": 7}, tmp_path)
    assert {name: told[name] for name in given} == given
    assert told["CHAIN_GRPC_URL"] == "127.0.0.1:7"


def test_a_key_of_ones_own_is_the_one_that_has_money(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("46" * 32)
    told = node_of_a_run(ChainSettings(chain_key_file=str(key)), tmp_path / "run")
    assert told["DEV_CHAIN_FUNDED"] == "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"


def test_the_keys_address_is_told_and_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_text("46" * 32)
    command = [sys.executable, "-m", "app", "chain", "address"]
    settings = os.environ | {"CHAIN_KEY_FILE": str(key), "PYTHONPATH": str(ROOT)}

    def told() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert told().stdout == "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\n"
    key.chmod(0o644)
    refused = told()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "CHAIN_KEY_FILE" in refused.stderr
    assert "46" * 32 not in refused.stderr
