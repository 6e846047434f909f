"""The house of the bank test: servers of its own, and every process of Strongbox, most of them twice."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

from app.domain.ids import UserId
from app.domain.money import Currency, Money
from app.main import migrations
from app.main.container import Container
from app.main.local.postgres import PostgresServer
from app.main.local.processes import CannotStart, comes_true, free_port
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.main.operations import with_books
from app.main.settings import load
from tests.e2e.house import House
from tests.soak.load import Wallet

ROOT: Final = Path(__file__).parents[2]
LEASH: Final = ROOT / "app/main/local/leash.py"
PASSWORD: Final = "only-for-the-soak"
DATABASE: Final = "soak"
READY_LIMIT_S: Final = 60.0
END_LIMIT_S: Final = 20.0
RECOVER_AFTER_S: Final = 4.0
SETTINGS: Final = {
    "REQUEST_TIMEOUT_S": "3",
    "GATEWAY_TIMEOUT_S": "0.5",
    "RECOVER_AFTER_S": f"{RECOVER_AFTER_S:g}",
    "RECOVER_EVERY_S": "0.5",
    "BREAKER_FAILURES": "20",
    "BREAKER_RESET_S": "2",
    "LOG_LEVEL": "info",
}
APIS: Final = ("api-1", "api-2")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "gateway": ("tests.soak.gateway",),
    **{f"{name}-{nth}": ("app", name) for name in ("relay", "recover") for nth in (1, 2)},
    "metrics": ("consumers", "metrics"),
    "audit-1": ("consumers", "audit"),
    "audit-2": ("consumers", "audit"),
    "api-1": ("app", "api"),
    "api-2": ("app", "api", "--workers", "2"),
}


class Servers:
    """A private PostgreSQL and a private RabbitMQ. Its methods block; `stop` waits for whichever is under way."""

    def __init__(self, folder: Path) -> None:
        self.postgres = PostgresServer(folder / "postgres", settings=("max_connections=200",))
        self.rabbitmq = RabbitMQNode(folder / "rabbitmq")
        self._locks = {id(server): threading.Lock() for server in (self.postgres, self.rabbitmq)}
        self._stopped = False

    def start(self) -> Urls:
        """Start both, and make a migrated database."""
        with self._locked(), ThreadPoolExecutor() as threads:
            broker = threads.submit(self.rabbitmq.start)
            self.postgres.start()
            make_roles(self.postgres.url(), PASSWORD, PASSWORD)
            make_database(self.postgres.url(), DATABASE)
            owner, login = (self.postgres.url(DATABASE, role, PASSWORD) for role in (OWNER, LOGIN))
            migrations.up(owner, owner)
            broker.result()
            return Urls(owner_url=owner, app_url=login)

    def bounce(self, server: PostgresServer | RabbitMQNode, down_s: float) -> None:
        """End one of them at once, and start it again a while later, where it was."""
        with self._locks[id(server)]:
            port = server.port
            server.kill()
            comes_true(lambda: not server.alive, END_LIMIT_S)
            time.sleep(down_s)
            if self._stopped:
                return
            server.start()
        if server.port != port:
            raise CannotStart(f"port {port} was taken while its server was down")

    def stop(self) -> None:
        """End both."""
        self._stopped = True
        with self._locked():
            self.rabbitmq.stop()
            self.postgres.stop()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as stack:
            for lock in self._locks.values():
                stack.enter_context(lock)
            yield


class Fleet(House):
    """The processes. They end with this one, however it ends."""

    def __init__(self, database: Urls, rabbitmq_url: str, folder: Path) -> None:
        super().__init__(database, rabbitmq_url, folder, **SETTINGS, PYTHONPATH=str(ROOT))
        self.api_ports = [free_port() for _ in APIS]
        self.apis = [f"http://127.0.0.1:{port}" for port in self.api_ports]
        self.deaths: list[str] = []

    def spawn(self, name: str) -> None:
        """Start a process, without waiting. Only from the main thread: the leash is the thread's that starts it."""
        extra = {"HTTP_PORT": str(self.api_ports[APIS.index(name)])} if name in APIS else {}
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
        comes_true(lambda: process.poll() is not None or _heeds(process.pid, signal.SIGTERM), READY_LIMIT_S)
        process.terminate()
        self._has_ended(name, process, END_LIMIT_S)

    def _has_ended(self, name: str, process: "subprocess.Popen[bytes]", limit_s: float) -> None:
        """See whether it ends in good order after SIGTERM; by force if it does not."""
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.deaths.append(f"{name} did not end within {END_LIMIT_S:g} s of SIGTERM")
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
        for name in WORDS:
            self.spawn(name)
        async with httpx.AsyncClient() as client:
            for url in (
                f"{self.gateway_url}/health",
                f"{self.metrics_url}/healthz",
                *(f"{u}/readyz" for u in self.apis),
            ):
                await self._answers(client, url)

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

        async def all_at_once(container: Container) -> None:
            for wallet in wallets:
                await container.fund()(UserId(wallet.user_id), Money(wallet.initial, Currency(wallet.currency)), None)

        await with_books(Container(settings=load(self.environment_of_settings())), all_at_once)
        await asyncio.to_thread(self.command, "provider", "add", "Acme", "--id", str(self.provider_id))

    def environment_of_settings(self) -> dict[str, str]:
        return {name: value for name, value in self.environment.items() if name not in ("PATH", "PYTHONPATH")}

    def end(self) -> None:
        """End everything in good order, and by force what does not; note exit codes that say something."""
        order = [*APIS, "recover-1", "recover-2", "relay-1", "relay-2", "metrics", "audit-1", "audit-2", "gateway"]
        for name in order:
            if name in self.processes:
                self.signal(name, signal.SIGCONT)
                self.processes[name].terminate()
        deadline = time.monotonic() + END_LIMIT_S
        for name in [name for name in order if name in self.processes]:
            self._has_ended(name, self.processes.pop(name), max(0.1, deadline - time.monotonic()))


def _heeds(pid: int, number: signal.Signals) -> bool:
    """Whether the process has a handler for the signal."""
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    return bool(int(caught, 16) >> (number - 1) & 1)
