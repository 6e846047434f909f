"""The processes of the bank test: every process of Strongbox, most of them twice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.main.contexts import load
from app.main.house import House as Rooms
from app.main.local.roles import Urls
from app.platform.postgres.operator import with_pool
from app.platform.process.processes import CannotStart, comes_true, free_port
from tests.forks import Process, hears
from tests.system.e2e.house import House
from tests.system.soak.deeds import FEE_BP
from tests.system.soak.load import Wallet

ROOT: Final = Path(__file__).parents[3]
LEASH: Final = ROOT / "app/platform/process/leash.py"
STARTED_WITHIN_S: Final = 8.0
"""In which all processes start, at once, on a machine that has nothing else to do."""
READY_LIMIT_S: Final = 180.0
END_LIMIT_S: Final = 20.0
RECOVER_AFTER_S: Final = 4.0
DOMAIN: Final = "soak.example"
"""Where people sign in with wallets."""
SETTINGS: Final = {
    "REQUEST_TIMEOUT_S": "3",
    "GATEWAY_TIMEOUT_S": "0.5",
    "RECOVER_AFTER_S": f"{RECOVER_AFTER_S:g}",
    "RECOVER_EVERY_S": "0.5",
    "BREAKER_FAILURES": "20",
    "BREAKER_RESET_S": "2",
    "LOG_LEVEL": "info",
    "SIWE_DOMAINS": DOMAIN,
    "ACCESS_TTL_S": "3600",
    "MARKET_FEE_BP": str(FEE_BP),
    **{f"RATE_LIMIT_{name}": "off" for name in ("IP", "USER", "WALLET", "LOGIN")},
}
APIS: Final = ("api-1", "api-2")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "gateway": ("tests.system.soak.gateway",),
    **{f"{name}-{nth}": ("app", name) for name in ("relay", "recover") for nth in (1, 2)},
    "metrics": ("consumers", "metrics"),
    "audit-1": ("consumers", "audit"),
    "audit-2": ("consumers", "audit"),
    "api-1": ("app", "api"),
    "api-2": ("app", "api", "--workers", "2"),
    "teller-1": ("tests.system.teller",),
    "teller-2": ("tests.system.teller",),
}
TELLERS: Final = ("teller-1", "teller-2")
"""What other contexts will be: processes that ask funds to set money aside."""


class Fleet(House):
    """The processes. They end with this one, however it ends."""

    def __init__(self, database: Urls, rabbitmq_url: str, redis_url: str, folder: Path, slower: float = 1.0) -> None:
        super().__init__(database, rabbitmq_url, folder, **SETTINGS, REDIS_URL=redis_url, PYTHONPATH=str(ROOT))
        self._slower = slower
        self.api_ports = [free_port() for _ in APIS]
        self.apis = [f"http://127.0.0.1:{port}" for port in self.api_ports]
        self.teller_ports = [free_port() for _ in TELLERS]
        self.deaths: list[str] = []

    def spawn(self, name: str) -> None:
        """Start a process, without waiting. Only from the main thread: the leash is the thread's that starts it."""
        extra = {"HTTP_PORT": str(self.api_ports[APIS.index(name)])} if name in APIS else {}
        if name in TELLERS:
            extra["TELLER_PORT"] = str(self.teller_ports[TELLERS.index(name)])
        command = [sys.executable, str(LEASH), str(os.getpid()), sys.executable, "-m", *WORDS[name]]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=self.environment | extra, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """End a process at once, and its workers with it."""
        self.signal(name, signal.SIGKILL)
        self.processes.pop(name).wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send it to the process and its workers."""
        pid = self.processes[name].pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for each in (pid, *map(int, workers)):
            with suppress(ProcessLookupError):
                os.kill(each, number)

    def retire(self, name: str) -> None:
        """End a process in good order, once it heeds SIGTERM, and note when it does not. It blocks."""
        process = self.processes.pop(name)
        self._tell_to_end(process)
        self._has_ended(name, process, self.patience(END_LIMIT_S))

    def _tell_to_end(self, process: Process) -> None:
        comes_true(lambda: process.poll() is not None or hears(process.pid, signal.SIGTERM), READY_LIMIT_S)
        process.terminate()

    def _has_ended(self, name: str, process: Process, limit_s: float) -> None:
        """See whether it ends in good order after SIGTERM; by force if it does not."""
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.deaths.append(f"{name} did not end within {limit_s:.1f} s of SIGTERM")
        else:
            if code != 0:
                self.deaths.append(f"{name} ended with exit code {code} on SIGTERM")

    def look_for_deaths(self) -> None:
        """Note, and replace, what ended without being told to."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.deaths.append(f"{name} ended by itself with exit code {process.returncode}")
                self.spawn(name)

    async def begin(self) -> None:
        """Start everything in order: the queues exist before anything is published."""
        began = time.monotonic()
        for name in WORDS:
            self.spawn(name)
        async with httpx.AsyncClient() as client:
            for url in (
                f"{self.gateway_url}/health",
                f"{self.metrics_url}/healthz",
                *(f"{u}/readyz" for u in self.apis),
            ):
                await self._answers(client, url)
        self._slower = max(self._slower, (time.monotonic() - began) / STARTED_WITHIN_S)

    def patience(self, limit_s: float) -> float:
        """How long to wait, at this machine's pace, for what takes a machine of its own no longer than `limit_s`.

        Most of what a process that was replaced needs is its start. Where others work beside this run, that takes as
        much longer as all processes took at the beginning: to hold it against the clock would be to measure them.
        """
        return limit_s * self._slower

    async def _answers(self, client: httpx.AsyncClient, url: str) -> None:
        deadline = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline:
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.HTTPError:
                pass
            self.look_for_deaths()
            if self.deaths:
                break
            await asyncio.sleep(0.1)
        raise CannotStart(f"{url} does not answer; {'; '.join(self.deaths) or 'nothing has ended'}")

    async def fund(self, wallets: Sequence[Wallet]) -> None:
        """Put a provider and the wallets there, as the operator's commands do."""
        await fund(self.environment_of_settings(), wallets)
        await asyncio.to_thread(self.command, "provider", "add", "Acme", "--id", str(self.provider_id))

    def environment_of_settings(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name not in ("PATH", "PYTHONPATH")}

    def end(self) -> None:
        """End everything in good order, and by force what does not; note exit codes that say something."""
        order = [
            *TELLERS,
            *APIS,
            "recover-1",
            "recover-2",
            "relay-1",
            "relay-2",
            "metrics",
            "audit-1",
            "audit-2",
            "gateway",
        ]
        for name in order:
            if name in self.processes:
                self.signal(name, signal.SIGCONT)
                self._tell_to_end(self.processes[name])
        deadline = time.monotonic() + self.patience(END_LIMIT_S)
        for name in [name for name in order if name in self.processes]:
            self._has_ended(name, self.processes.pop(name), max(0.1, deadline - time.monotonic()))


async def fund(environment: Mapping[str, str], wallets: Sequence[Wallet]) -> None:
    """Pay into the wallets what they hold at the beginning, as the operator's command does."""
    container = Rooms(load(environment)).container("funds")

    async def all_at_once() -> None:
        for wallet in wallets:
            await container.paying_in().fund(
                UserId(wallet.user_id), Money(wallet.initial, Currency(wallet.currency)), None
            )

    await with_pool(container.funding_pool(), container.database().url, all_at_once)
