"""A house whose parts can be frozen, cut off and killed, each at an exact point, from outside."""

import contextlib
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests import forks
from tests.system.crash.broker import Broker, metrics_total
from tests.system.crash.dialects import Amqp, Http, Postgres
from tests.system.crash.parts import Parted, elsewhere
from tests.system.crash.proxy import Proxy
from tests.system.e2e.house import LIMIT_S, QUICK, _ok, wait_until

UNLIMITED = {f"RATE_LIMIT_{name}": "off" for name in ("IP", "USER", "WALLET", "LOGIN")}
TIMES = QUICK | UNLIMITED | {"GATEWAY_ATTEMPTS": "2", "SIWE_DOMAINS": "shop.example", "MARKET_FEE_BP": "1000"}
# Recovery that takes over while the request is still under way, as if the API had been paused.
DIED = (httpx.HTTPError, OSError)
"""How clients see a process die."""
EARLY = {"REQUEST_TIMEOUT_S": "1", "GATEWAY_TIMEOUT_S": "0.8", "RECOVER_AFTER_S": "1.1"}
PARTS = {
    "gateway": ("mock_gateway",),
    "relay": ("app", "relay"),
    "recover": ("app", "recover"),
    "metrics": ("consumers", "metrics"),
    "audit": ("consumers", "audit"),
    "api": ("app", "api"),
}


class Fragile(Parted):
    """Between the API and its database, and between each process and the gateway or the broker, stands a proxy."""

    parts = PARTS

    def __init__(self, server: PostgresServer, database: Urls, broker: Broker, folder: Path, **settings: str) -> None:
        super().__init__(database, broker.node.url, folder, **(TIMES | settings))
        self.server = server
        self.broker = broker
        self.postgres = Proxy(server.port, Postgres)
        self.gateway = Proxy(self.ports["MOCK_GATEWAY_PORT"], Http)
        self.recovery_gateway = Proxy(self.ports["MOCK_GATEWAY_PORT"], Http)
        self.rabbitmq = Proxy(broker.node.port, Amqp)
        by_proxy = {"RABBITMQ_URL": elsewhere(broker.node.url, broker.node.port, self.rabbitmq.port)}
        self.own = {
            "api": {
                "DATABASE_URL": elsewhere(database.app_url, server.port, self.postgres.port) + "?sslmode=disable",
                "GATEWAY_URL": f"http://127.0.0.1:{self.gateway.port}",
            },
            "recover": {"GATEWAY_URL": f"http://127.0.0.1:{self.recovery_gateway.port}"},
            "gateway": {"MOCK_GATEWAY_JOURNAL": str(folder / "gateway.journal")},
            "relay": by_proxy,
            "audit": by_proxy,
            "metrics": by_proxy,
        }
        self._clients = ThreadPoolExecutor(64)

    def close(self) -> None:
        """End what the processes talked through."""
        for proxy in (self.postgres, self.gateway, self.recovery_gateway, self.rabbitmq):
            proxy.close()
        self._clients.shutdown()

    def ready(self, name: str) -> Callable[[], bool] | None:
        """See `Parted.ready`."""
        url = {
            "api": f"{self.api_url}/readyz",
            "gateway": f"{self.gateway_url}/health",
            "metrics": f"{self.metrics_url}/metrics",
        }.get(name)
        return partial(_ok, url) if url else None

    def mend(self) -> None:
        """Whatever the last test left: everything runs, and the gateway works."""
        self.begin_what_ended()
        self.mode("happy")

    @contextlib.contextmanager
    def without(self, name: str) -> Iterator[None]:
        """The part ends in good order, and is there again afterwards."""
        assert self.stop(name) == 0
        yield
        self.begin(name)

    @contextlib.contextmanager
    def early_recovery(self) -> Iterator[None]:
        """Recovery works on payments whose request is still under way."""
        self.stop("recover")
        self.begin("recover", **EARLY)
        yield
        self.stop("recover")
        self.begin("recover")

    def consumers_command(self, *words: str) -> str:
        """Run a command of the consumers to its end; what it prints."""
        done = forks.run(("consumers", *words), self.folder, self.environment)
        assert done.returncode == 0, f"{words} exited {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def pay_later(self, user_id: uuid.UUID, amount: int, key: str | None = None) -> "Future[httpx.Response]":
        """Send a payment, and go on."""
        return self._clients.submit(self.pay, user_id, amount, key)

    def as_superuser(self) -> psycopg.Connection:
        """A session that sees everything."""
        name = self.database.app_url.rpartition("/")[2]
        return psycopg.connect(self.server.url(name), autocommit=True)

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Nobody can write the table."""
        with psycopg.connect(self.database.owner_url) as session:
            session.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield

    def wait_for_session(self, application: str, waits_for: str, statement: str = "") -> None:
        """Wait until a statement of the application, with that text in it, waits for a `Lock`, or for `SyncRep`."""
        with self.as_superuser() as session:
            what = f"{application} to wait for {waits_for}"
            wait_until(lambda: self._waits(session, application, waits_for, statement), what)

    def _waits(self, session: psycopg.Connection, application: str, waits_for: str, statement: str = "") -> bool:
        find = (
            "SELECT FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
            " AND %s IN (wait_event_type, wait_event) AND strpos(query, %s) > 0"
        )
        return bool(session.execute(find, (application, waits_for, statement)).fetchall())

    def dies_waiting(
        self,
        do: Callable[[], object],
        table: str,
        application: str,
        name: str = "api",
        again: Callable[[], object] | None = None,
    ) -> None:
        """Do it while nobody can write the table, and kill the process that does it as its session waits for that.

        It waits for half a second. Where that was over before the kill came, it is asked for once more: whoever was
        refused has done nothing.
        """

        def has_died() -> bool:
            doing = self._clients.submit(do)
            with self.as_superuser() as session:
                wait_until(lambda: self._waits(session, application, "Lock") or doing.done(), f"{application} to wait")
            if is_under_way := not doing.done():
                self.kill(name)
                self.wait_until_rolled_back(application)
            try:
                doing.result(LIMIT_S)
            except DIED:
                return True
            if is_under_way:
                again() if again else self.begin(name)
            return False

        with self.locked(table):
            wait_until(has_died, f"a death before {table} is written")

    def wait_until_rolled_back(self, application: str) -> None:
        """Wait until no statement of the application waits for a lock: a dead process's have run into their limit."""
        with self.as_superuser() as session:
            find = (
                "SELECT FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"
                " AND (wait_event_type = 'Lock' OR state <> 'idle')"
            )
            wait_until(lambda: not session.execute(find, (application,)).fetchall(), f"the end of {application}")

    def statuses(self, user_id: uuid.UUID) -> list[str]:
        """The statuses of the user's payments, by age."""
        rows = self.query("SELECT status FROM payments WHERE user_id = %s ORDER BY created_at", user_id)
        return [status for (status,) in rows]

    def payment_id(self, user_id: uuid.UUID) -> str:
        """The user's only payment."""
        ((found,),) = self.query("SELECT id FROM payments WHERE user_id = %s", user_id)
        return str(found)

    def marked(self, user_id: uuid.UUID) -> bool:
        """Whether a void is announced for the user's payment."""
        return bool(self.query("SELECT FROM payments WHERE user_id = %s AND void_requested_at IS NOT NULL", user_id))

    def wait_for_status(self, user_id: uuid.UUID, *statuses: str, limit_s: float = 120) -> None:
        """Wait until the user's payments have these statuses."""
        wait_until(lambda: self.statuses(user_id) == list(statuses), f"{statuses}", limit_s)

    def at_the_gateway(self, payment_id: str) -> dict[str, Any]:
        """All that the gateway knows of a payment, the requests it got included."""
        answer = httpx.get(f"{self.gateway_url}/admin/charges/{payment_id}")
        found: dict[str, Any] = {} if answer.status_code == 404 else answer.raise_for_status().json()
        return found

    def counted(self, status: str) -> float:
        """How many payments of that status the metrics consumer has counted."""
        return metrics_total(httpx.get(f"{self.metrics_url}/metrics").raise_for_status().text, status)

    def counted_so_far(self, status: str = "APPROVED") -> float:
        """The same, once it has heard of all that the tests before have done."""
        unheard = (
            "SELECT FROM payments.outbox_events o LEFT JOIN metrics.inbox i USING (event_id)"
            " WHERE i.event_id IS NULL AND starts_with(o.type, 'payment.')"
        )
        wait_until(lambda: not self.query(unheard), "the metrics to have heard of everything")
        return self.counted(status)

    def wait_until_counted(self, approved: float) -> None:
        """Wait until the metrics consumer has counted that many approved payments, and has no more to count."""
        wait_until(lambda: self.counted("APPROVED") >= approved, "the metrics")
        wait_until(lambda: self.broker.depth("metrics.queue") == 0, "the metrics queue to be empty")
        assert self.counted("APPROVED") == approved

    def unsent(self) -> int:
        """How many events wait in the outbox."""
        ((count,),) = self.query("SELECT count(*) FROM outbox_events WHERE sent_at IS NULL")
        return int(count)

    def verify(self) -> None:
        """As ever, and the money has not changed in sum; leases of dead relays end first."""
        wait_until(self.quiet, "everything to be settled, sent and audited", 60)
        super().verify()


@contextlib.contextmanager
def open_house(house: Fragile) -> Iterator[Fragile]:
    """The house with all its processes. Those that a failed test left in a state are killed, the others end well."""
    try:
        house.start_all()
        yield house
        house.mend()
        assert set(house.stop_all().values()) == {0}
    finally:
        for process in house.processes.values():
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        house.close()
