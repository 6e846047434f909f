"""Strongbox as its operators run it: real processes, a real database, a real broker, a real gateway."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg

from app.main.contexts import load
from app.main.local.plan import made_here
from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests import forks
from tests.pace import slow
from tests.system.e2e.paying_in import pay_in

T = TypeVar("T")
LIMIT_S = 120.0
API_KEY = "a-key-for-the-tests"
HEADERS = {"X-API-Key": API_KEY}

# Short times, in the proportions of the defaults; not so short that a busy machine turns an answer into a time-out.
QUICK = {
    "REQUEST_TIMEOUT_S": "6",
    "GATEWAY_TIMEOUT_S": "1.2",
    "RECOVER_AFTER_S": "6.5",
    "RECOVER_EVERY_S": "0.2",
    "BREAKER_FAILURES": "1000",
    "LOG_LEVEL": "info",
    # Tests ask more often than people do, all from one address.
    **dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_WALLET", "RATE_LIMIT_LOGIN"), "off"),
}
_AUDITED = ("payments", "funds", "reconciliation", "catalog", "ordering", "auctions", "rewards", "mint", "webhooks")
_EVENTS = " UNION ALL ".join(f"SELECT event_id, sent_at FROM {schema}.outbox_events" for schema in _AUDITED)


class House:
    """The processes of one Strongbox, over a database and a broker that are there."""

    def __init__(self, database: Urls, rabbitmq_url: str, folder: Path, **settings: str) -> None:
        self.database = database
        self.folder = folder
        self.ports = {name: free_port() for name in ("HTTP_PORT", "METRICS_PORT", "MOCK_GATEWAY_PORT")}
        self.api_url = f"http://127.0.0.1:{self.ports['HTTP_PORT']}"
        self.metrics_url = f"http://127.0.0.1:{self.ports['METRICS_PORT']}"
        self.gateway_url = f"http://127.0.0.1:{self.ports['MOCK_GATEWAY_PORT']}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": database.app_url,
            "MIGRATE_DATABASE_URL": database.owner_url,
            "RABBITMQ_URL": rabbitmq_url,
            "GATEWAY_URL": self.gateway_url,
            "API_KEYS": API_KEY,
            **{name: str(port) for name, port in self.ports.items()},
            **made_here(load({"JWT_ALG": "EdDSA"}), self.ports, folder),
            **QUICK,
            **settings,
        }
        self.tool = "app"
        """The module that is the command line."""
        self.output: int | None = None
        """Where the processes' output goes, in place of a log each."""
        self.processes: dict[str, forks.Process] = {}
        self.provider_id = uuid.uuid4()

    def start(self, name: str, *words: str, expect: Callable[[], bool] | None = None) -> forks.Process:
        """Start a process (`python -m WORDS`), and wait until it does what is expected."""
        with (self.folder / f"{name}.log").open("ab") as log:
            to = log if self.output is None else self.output
            process = forks.start(words, self.folder, self.environment, to, to)
        self.processes[name] = process
        if expect is not None:
            wait_until(lambda: expect() or self._alive(name), f"{name} to be ready")
        return process

    def _alive(self, name: str) -> bool:
        assert self.processes[name].poll() is None, f"{name} ended: {self.log(name)}"
        return False

    def log(self, name: str) -> str:
        """What the process has logged."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_gateway(self) -> None:
        self.start("gateway", "mock_gateway", expect=lambda: _ok(f"{self.gateway_url}/health"))

    def start_api(self) -> None:
        self.start("api", "app", "api", expect=lambda: _ok(f"{self.api_url}/readyz"))

    def start_all(self) -> None:
        """Start everything, side by side, and put a provider there."""
        self.start("relay", "app", "relay")
        self.start("recover", "app", "recover")
        self.start("metrics", "consumers", "metrics")
        self.start("audit", "consumers", "audit")
        self.start_gateway()
        self.start_api()
        self.command("provider", "add", "Acme", "--id", str(self.provider_id))
        wait_until(lambda: _ok(f"{self.metrics_url}/metrics") or self._alive("metrics"), "metrics to be ready")

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End a process and wait for it; its exit code. Before it hears signals it would end in no good order."""
        process = self.processes.pop(name)
        if number != signal.SIGKILL:
            wait_until(lambda: process.poll() is not None or forks.hears(process.pid, number), f"{name} to hear us")
        process.send_signal(number)
        return process.wait(LIMIT_S)

    def stop_all(self) -> dict[str, int]:
        """End everything in good order; the exit codes."""
        order = ("teller", "api", "recover", "relay", "metrics", "audit", "gateway")
        return {name: self.stop(name) for name in order if name in self.processes}

    def command(self, *words: str, code: int = 0) -> str:
        """Run a command of `strongbox` to its end; what it prints."""
        done = forks.run((self.tool, *words), self.folder, self.environment)
        assert done.returncode == code, f"{words} exited {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def wallet(self, amount: int, currency: str = "USD") -> uuid.UUID:
        """A new user with that much."""
        user_id = uuid.uuid4()
        pay_in(self.environment, user_id, currency, amount)
        return user_id

    def mode(self, mode: str, **how: Any) -> None:
        """Switch the gateway."""
        httpx.put(f"{self.gateway_url}/admin/mode", json={"mode": mode, **how}, timeout=LIMIT_S).raise_for_status()

    def charge(self, payment_id: str) -> dict[str, Any] | None:
        """What the gateway's record says of a payment."""
        charges = httpx.get(f"{self.gateway_url}/admin/charges").raise_for_status().json()["charges"]
        return next((charge for charge in charges if charge["payment_id"] == payment_id), None)

    def pay(self, user_id: uuid.UUID, amount: int, key: str | None = None, **members: Any) -> httpx.Response:
        """Send a payment."""
        return httpx.post(**self.payment(user_id, amount, key, **members), timeout=LIMIT_S)

    def paid(self, user_id: uuid.UUID, amount: int, key: str | None = None, **members: Any) -> str:
        """Send a payment that is made; its id."""
        return str(body(self.pay(user_id, amount, key, **members), 201)["payment_id"])

    async def pay_at_once(self, requests: list[dict[str, Any]]) -> list[httpx.Response]:
        """Send many payments at the same time."""
        async with httpx.AsyncClient(timeout=LIMIT_S, limits=httpx.Limits(max_connections=None)) as client:
            return list(await asyncio.gather(*(client.post(**request) for request in requests)))

    def payment(self, user_id: uuid.UUID, amount: int, key: str | None = None, **members: Any) -> dict[str, Any]:
        """A payment request, as arguments for httpx."""
        bill = {"provider_id": str(self.provider_id), "external_reference": "bill 7", "currency": "USD"}
        return {
            "url": f"{self.api_url}/wallets/{user_id}/payments",
            "headers": {**HEADERS, "Idempotency-Key": key or str(uuid.uuid4())},
            "json": {**bill, "amount": amount, **members},
        }

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Read from the API."""
        return httpx.get(f"{self.api_url}{path}", headers=HEADERS, params=parameters)

    def balance(self, user_id: uuid.UUID, currency: str = "USD") -> int:
        """What the API says the user holds."""
        answer = self.get(f"/wallets/{user_id}/balance", currency=currency).raise_for_status()
        balance = answer.json()["balances"][0]["current_balance"]
        assert isinstance(balance, int)
        return balance

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read from the database, as the owner."""
        with psycopg.connect(self.database.owner_url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def trail(self, payment_id: str) -> list[str]:
        """The payment's events in the audit trail, in the order of their positions."""
        rows = self.query("SELECT type FROM audit.events WHERE subject = %s ORDER BY position", payment_id)
        return [kind for (kind,) in rows]

    def wait_for_trails(self, payment_ids: Sequence[str], limit_s: float = LIMIT_S) -> None:
        """Wait until the audit trail has two events of each of the payments."""
        whole = "SELECT FROM audit.events WHERE subject = ANY(%s) GROUP BY subject HAVING count(*) = 2"
        wait_until(lambda: len(self.query(whole, list(payment_ids))) == len(payment_ids), "the audit trail", limit_s)

    def quiet(self) -> bool:
        """Whether nothing is pending, unsent, or on its way to the audit trail."""
        ((left,),) = self.query(
            "SELECT (SELECT count(*) FROM payments WHERE status = 'PENDING')"
            " + (SELECT count(*) FROM payments.refunds WHERE status = 'PENDING')"
            f" + (SELECT count(*) FROM ({_EVENTS}) o"
            "    LEFT JOIN audit.events a USING (event_id) WHERE o.sent_at IS NULL OR a.event_id IS NULL)"
            " + (SELECT count(*) FROM identity.outbox_events WHERE sent_at IS NULL)"
            " + (SELECT count(*) FROM holds WHERE status = 'OPEN' AND expires_at < now())"
        )
        return bool(left == 0)

    def verify(self) -> None:
        """Once all is quiet, every invariant holds, the gateway's record included."""
        wait_until(self.quiet, "everything to be settled, sent and audited")
        assert "charge" in self.command("verify")


@contextmanager
def running(house: House) -> Iterator[House]:
    """The house with all its processes, which all end in good order."""
    try:
        house.start_all()
        yield house
        assert set(house.stop_all().values()) <= {0}
    finally:
        for process in house.processes.values():
            process.kill()
            process.wait()


def body(answer: httpx.Response, status: int) -> Any:
    """What an answer of that status says. One of another fails with its own words, which say more than their shape."""
    assert answer.status_code == status, f"{answer.status_code}, not {status}: {answer.text}"
    return answer.json()


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Wait for a condition, with a limit: a shorter one than is usual is a quiet machine's."""
    deadline = time.monotonic() + min(slow(limit_s), max(limit_s, LIMIT_S))
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s:g} s for {what}"
        time.sleep(0.05)


def in_time(look: Callable[[], T]) -> T:
    """What a look finds, once its assertions hold: to `strongbox status`, what takes two seconds to answer is down."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        with suppress(AssertionError):
            return look()
    return look()


def _ok(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False
