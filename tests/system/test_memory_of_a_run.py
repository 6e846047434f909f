"""What each process of a `strongbox run` holds on a bare machine, without RabbitMQ, at rest and after some work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from app.main.contexts import load
from app.main.local import plan
from app.main.local.announce import DEMO_CURRENCY, DEMO_PROVIDER, DEMO_USER
from app.main.local.clean import clean
from app.platform.process.processes import comes_true, free_port
from app.platform.process.run_state import discovered, read, urls
from bench.machine import memory_mib

LIMIT_S: Final = 300.0
EACH_MIB: Final = 100.0
MORE_MIB: Final = {"api": 130.0, "console": 130.0}
"""The API has all contexts, gRPC, Redis, signatures and passwords: 42 MiB of it are files that are mapped, and shared.
The console has some 95 until somebody looks: then it asks every part, and loads what that takes."""
PAYMENTS: Final = 300

# Without RabbitMQ, which takes seconds to start; and with time to compile all of it on a busy machine.
RUN: Final = """
import asyncio, sys
from pathlib import Path
from app.main.local import rabbitmq, run as runs
from app.main.local.run import run
from app.main.contexts import load
rabbitmq.installed = lambda: None
runs.READY_LIMIT_S = 300.0
sys.exit(asyncio.run(run(load(), Path(".strongbox"))))
"""


@contextmanager
def run_in(folder: Path) -> Iterator[None]:
    """A run that serves meanwhile. Its bytecode is kept, as that of an installation is: to compile takes memory."""
    given = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    ports = {name: str(free_port()) for name in plan.defaults(load({}))}
    own = {
        "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "DEV_CHAIN_ENGINE": "python",
    }  # fmt: skip
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN], cwd=folder, stdout=output, stderr=output, env=given | ports | own,
            start_new_session=True,
        )  # fmt: skip
    try:
        served = comes_true(lambda: "Ctrl-C ends it" in (folder / "output").read_text(), LIMIT_S)
        assert served, (folder / "output").read_text()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(LIMIT_S)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder where a run has served before; nothing of it is left afterwards."""
    folder = tmp_path_factory.mktemp("run")
    with run_in(folder):
        pass
    yield folder
    clean(folder / ".strongbox")


def held(base: Path) -> Mapping[str, float]:
    """What each process has at most held, in MiB, by its name."""
    state = read(base)
    assert state
    return {name: round(memory_mib(process.pid, "VmHWM"), 1) for name, process in state.processes.items()}


def too_heavy(found: Mapping[str, float]) -> Mapping[str, float]:
    """Those that hold more than they may."""
    return {name: mib for name, mib in found.items() if mib > MORE_MIB.get(name, EACH_MIB)}


async def work(base: Path) -> None:
    """Pay, some at a time, and look at what the console shows."""
    settings, at = discovered(base), urls(base)
    keys = {"X-API-Key": settings["API_KEYS"].partition(",")[0]}
    body = {"provider_id": DEMO_PROVIDER, "amount": 1, "currency": DEMO_CURRENCY}
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(base_url=at["api"], headers=keys, timeout=120, limits=limits) as api:

        async def pay(nth: int) -> int:
            payment: dict[str, Any] = {**body, "external_reference": f"m{nth}"}
            answer = await api.post(
                f"/wallets/{DEMO_USER}/payments", json=payment, headers={"Idempotency-Key": uuid4().hex}
            )
            return answer.status_code

        statuses = set(await asyncio.gather(*map(pay, range(PAYMENTS))))
    assert statuses == {201}, json.dumps(sorted(statuses))
    async with httpx.AsyncClient(base_url=at["console"], timeout=120, headers={"Origin": at["console"]}) as console:
        key = settings["CONSOLE_KEYS"].partition(":")[2]
        assert (await console.post("/login", data={"key": key, "next": "/"})).status_code == 303
        for page in (
            "/",
            "/payments",
            "/orders",
            "/reconciliation",
            "/cashback",
            "/mints",
            "/chain",
            "/people",
            "/cache",
            "/actions",
        ):
            assert (await console.get(page)).status_code == 200, page


async def test_no_process_of_a_run_holds_more_than_it_may(folder: Path) -> None:
    base = folder / ".strongbox"
    with run_in(folder):
        found = held(base)
        assert {"api", "console", "relay", "recover", "chain", "node", "gateway"} <= found.keys()
        assert not too_heavy(found), found
        await work(base)
        assert not too_heavy(found := held(base)), found
