"""Whether what compose says of the chain runs: its commands, in their order, each context in a database of its own."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from app.contexts.chain.adapters.grpc.health import is_well
from app.contexts.chain.settings import Endpoint
from app.kernel.errors import Unavailable
from app.main.local.probe import answers
from app.main.local.roles import LOGIN, OWNER, make_database
from app.platform.process.processes import free_port
from tests.servers import PASSWORD

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
LIMIT_S = 300.0


class Compose:
    """The services, on this machine: its folder is their volume, its ports are theirs."""

    def __init__(self, host: str, folder: Path) -> None:
        self.grpc, self.node = free_port(), free_port()
        self._folder = folder
        (folder / "bin").mkdir()
        # As the image has it.
        command = folder / "bin/strongbox"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m app "$@"\n')
        command.chmod(0o755)
        self._elsewhere = {
            "/var/lib/strongbox": str(folder),
            "strongbox-owner@postgres:5432/": f"{PASSWORD}@{host}/compose_",
            "strongbox-service@postgres:5432/": f"{PASSWORD}@{host}/compose_",
            "strongbox_owner:": f"{OWNER}:",
            "strongbox_service:": f"{LOGIN}:",
            "chain-node:8545": f"127.0.0.1:{self.node}",
            "chain:50051": f"127.0.0.1:{self.grpc}",
        }

    @contextmanager
    def started(self, name: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The service's process."""
        words = [self._here(word.replace("$$", "$")) for word in SERVICES[name]["command"]]
        with (self._folder / "log").open("ab") as log:
            child = subprocess.Popen(words, cwd=self._folder, env=self._environment(name), stdout=log, stderr=log)
            try:
                yield child
            finally:
                child.kill()
                child.wait(60)

    def runs(self, name: str) -> None:
        """The service comes to its end, as those behind it wait for."""
        with self.started(name) as child:
            assert child.wait(LIMIT_S) == 0, self.log()

    def log(self) -> str:
        """What all of them have said."""
        return (self._folder / "log").read_text()

    def _environment(self, name: str) -> dict[str, str]:
        given = {key: self._here(str(value)) for key, value in SERVICES[name]["environment"].items()}
        ports = {"CHAIN_GRPC_PORT": str(self.grpc), "DEV_CHAIN_PORT": str(self.node), "CHAIN_METRICS_PORT": ""}
        path = f"{self._folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return given | ports | {"DEV_CHAIN_HOST": "127.0.0.1", "PATH": path, "PYTHONPATH": str(ROOT)}

    def _here(self, text: str) -> str:
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
        for there, here in self._elsewhere.items():
            text = text.replace(there, here)
        return text


async def test_the_chain_of_compose_comes_up_in_its_order_and_the_key_is_in_no_line(
    postgres_url: str, tmp_path: Path
) -> None:
    for name in ("strongbox", "rewards", "mint", "chain"):
        make_database(postgres_url, f"compose_{name}")
    compose = Compose(postgres_url.rpartition("@")[2].partition("/")[0], tmp_path)
    for name in ("chain-key", "migrate"):
        await asyncio.to_thread(compose.runs, name)
    key = (tmp_path / "chain.key").read_text().strip()
    assert (tmp_path / "chain.key").stat().st_mode & 0o777 == 0o600
    await asyncio.to_thread(compose.runs, "chain-key")  # as at the next start
    with compose.started("chain-node") as node:
        await until(lambda: serves(compose.node), node, compose)
        for _ in range(2):  # the same contract
            await asyncio.to_thread(compose.runs, "contract")
        assert list(yaml.safe_load((tmp_path / "contract.yaml").read_text())) == ["CHAIN_CONTRACT"]
        with compose.started("chain") as chain:
            await until(lambda: works(compose.grpc), chain, compose)
    assert (tmp_path / "chain.key").read_text().strip() == key
    assert key not in compose.log()


async def serves(node: int) -> bool:
    """Whether the node does."""
    return await asyncio.to_thread(answers, f"http://127.0.0.1:{node}/health")


async def works(adapter: int) -> bool:
    """Whether the adapter has a chain to work with."""
    try:
        return await is_well(Endpoint(f"127.0.0.1:{adapter}", is_tls=False), "", 5.0)
    except Unavailable:
        return False


async def until(ask: Callable[[], Awaitable[bool]], child: "subprocess.Popen[bytes]", compose: Compose) -> None:
    """Wait for what the process is to do."""
    deadline = time.monotonic() + LIMIT_S
    while not await ask():
        assert child.poll() is None, compose.log()
        assert time.monotonic() < deadline, compose.log()
        await asyncio.sleep(0.2)
