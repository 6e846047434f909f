"""A house that sends webhooks to a stranger who answers when a test says so: every process of it is real."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from app.contexts.webhooks.adapters.sealing.seal import AesSeal
from app.contexts.webhooks.domain.ids import EndpointId
from app.main.local.roles import Urls
from tests.system.e2e.house import House, wait_until

TENANT = "00000000-0000-0000-0000-000000000000"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """With five, as it is otherwise, whoever comes in a crowd waits for a second or more to be let in."""


@dataclass
class Stranger:
    """What it got, in its order. While it is not `free` its answers wait."""

    got: list[tuple[str, bytes]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def ids(self) -> list[str]:
        return [event_id for event_id, _ in self.got]


@contextmanager
def stranger() -> Iterator[Stranger]:
    """Somebody who listens, and answers at once unless told otherwise."""
    one = Stranger()
    one.free.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            one.got.append((self.headers["webhook-id"], body))
            one.free.wait(60)
            try:
                self.send_response(204)
                self.end_headers()
            except OSError:  # whoever asked is dead
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    one.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.free.set()
        server.shutdown()
        thread.join()
        server.server_close()


class WebhookHouse(House):
    """Relay and senders over a database and a broker that are there, and a webhook of the first tenant's."""

    def __init__(self, database: Urls, rabbitmq_url: str, folder: Path, superuser_url: str, **settings: str) -> None:
        super().__init__(
            database, rabbitmq_url, folder,
            WEBHOOK_ALLOW_HTTP="true", WEBHOOK_ALLOWED_CIDRS="127.0.0.0/8", **settings,
        )  # fmt: skip
        self.superuser_url = superuser_url
        self.endpoint_id = uuid4()

    def do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask, or do, as a superuser, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as superuser:
            cursor = superuser.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def add_webhook(self, url: str) -> None:
        """A webhook that asks for everything, since an hour."""
        bucket, one = self.endpoint_id.int % 16, self.endpoint_id
        sealed = AesSeal(self.environment["WEBHOOK_KEY"]).close(b"s" * 32, EndpointId(one))
        self.do(
            "INSERT INTO webhooks.endpoints (bucket, tenant_id, id, url, types, status, version, secret, created_at,"
            " updated_at) VALUES (%s, %s, %s, %s, ARRAY['*'], 'ACTIVE', 1, %s, now() - interval '1 h', now())",
            bucket, TENANT, one, url, sealed,
        )  # fmt: skip
        self.do(
            "INSERT INTO webhooks.endpoint_versions (bucket, tenant_id, endpoint_id, version, types, status, starts_at)"
            " VALUES (%s, %s, %s, 1, ARRAY['*'], 'ACTIVE', now() - interval '1 h')", bucket, TENANT, one,
        )  # fmt: skip
        self.do(
            "INSERT INTO webhooks.lanes (bucket, endpoint_id, tenant, is_active) VALUES (%s, %s, %s, true)",
            bucket, one, TENANT,
        )  # fmt: skip

    def happen(self, count: int = 1) -> list[str]:
        """Have events in the outbox that happened for the tenant; their ids, in their order."""
        made = []
        for _ in range(count):
            event_id, user_id = uuid4(), uuid4()
            document = {
                "specversion": "1.0", "id": event_id, "source": "/strongbox", "type": "user.registered",
                "subject": user_id, "time": datetime.now(UTC).isoformat(), "sequence": 1, "data": {"user_id": user_id},
            }  # fmt: skip
            self.do(
                "INSERT INTO identity.outbox_events (user_id, event_id, subject, sequence, type, payload, partition,"
                " created_at, tenant_id) VALUES (%s, %s, %s, 1, 'user.registered', %s, %s, now(), %s)",
                user_id, event_id, user_id, json.dumps(document, default=str), user_id.int % 16, TENANT,
            )  # fmt: skip
            made.append(str(event_id))
        return made

    def begin(self, name: str = "webhooks") -> None:
        """Start one who hears and sends, and wait until it does."""
        before = self._beginnings(name)
        self.start(name, "app", "webhooks", expect=lambda: self._beginnings(name) > before)

    def _beginnings(self, name: str) -> int:
        return self.log(name).count('"event":"consuming"') if (self.folder / f"{name}.log").exists() else 0

    def states(self) -> dict[str, tuple[str, int]]:
        """Each event that is to be sent, how far it is and how often it was attempted."""
        rows = self.do("SELECT event_id::text, status, attempts FROM webhooks.deliveries")
        return {event_id: (status, attempts) for event_id, status, attempts in rows}

    def delivered(self, events: list[str]) -> None:
        """Wait until all of them are, and nothing else is there."""
        wait_until(
            lambda: {e: s for e, (s, _) in self.states().items()} == dict.fromkeys(events, "DELIVERED"),
            f"{len(events)} events to be delivered",
        )

    def end_leases(self) -> None:
        """As if so long had passed."""
        self.do("UPDATE webhooks.deliveries SET next_attempt_at = now() WHERE leased")
        self.do("UPDATE webhooks.lanes SET wake_at = now() WHERE is_active")

    @contextmanager
    def frozen(self, table: str) -> Iterator[Callable[[], None]]:
        """Nobody writes into the table meanwhile; what is given waits until somebody tries."""
        with psycopg.connect(self.superuser_url) as holder:
            holder.execute(f"LOCK TABLE {table} IN SHARE MODE".encode())

            def tried() -> None:
                waiting = (
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                wait_until(lambda: self.do(waiting, table) != [(0,)], f"somebody to write into {table}")

            yield tried

    def die_waiting(self, name: str = "webhooks") -> None:
        """kill -9, and what it had sent to the server with it, which would be done yet once nothing is in its way."""
        self.stop(name, signal.SIGKILL)
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND application_name LIKE 'strongbox-webhooks%%' AND datname = current_database()"
        )
        wait_until(lambda: self.do(ended) == [], "the server to let go of it")

    def end(self) -> None:
        """End what is there, however it goes."""
        for name in [*self.processes]:
            self.stop(name)
