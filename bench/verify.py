"""`python -m bench.verify`: how long `strongbox verify` takes over many payments, and how much memory.

Both are told against something of the same run: the time in which PostgreSQL just reads the tables, and the memory for
a tenth of the payments. Exit code 1 when a check does not hold.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg

from app.main import databases
from app.main.local.postgres import PostgresServer
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from app.platform.process.processes import free_port
from bench.command import Done, run
from bench.filling import fill, write_journal

_PASSWORD = "only-here"  # noqa: S105 -- of a server on the loopback that is gone at the end
_READ = (
    "wallet_balances", "payments", "transactions", "ledger_entries", "idempotency_keys", "payments.outbox_events",
    "audit.events",
)  # fmt: skip


def verified(**environment: str) -> Done:
    """Run `strongbox verify`."""
    return run(("verify",), environment)


def reading_s(url: str) -> float:
    """The seconds in which PostgreSQL reads every row of the tables that are verified."""
    began_at = time.monotonic()
    with psycopg.connect(url) as connection:
        for table in _READ:
            connection.execute(f"SELECT count(t.*) FROM {table} AS t")
    return time.monotonic() - began_at


@contextmanager
def gateway(url: str, folder: Path) -> Iterator[str]:
    """A mock gateway that has charged the database's payments; its URL."""
    journal = folder / "journal"
    write_journal(url, journal)
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "MOCK_GATEWAY_PORT": str(port), "MOCK_GATEWAY_JOURNAL": str(journal)}
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "mock_gateway"], env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def _databases(folder: Path) -> Iterator[list[Urls]]:
    """Two migrated databases on a server of our own."""
    server = PostgresServer(folder / "postgres")
    server.start()
    try:
        make_roles(server.url(), _PASSWORD, _PASSWORD)
        made = []
        for name in ("few", "many"):
            make_database(server.url(), name)
            made.append(Urls(server.url(name, OWNER, _PASSWORD), server.url(name, LOGIN, _PASSWORD)))
            migrations.up(databases.at(made[-1].owner_url))
        yield made
    finally:
        server.stop()


def main() -> int:
    """Fill, verify, tell; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.verify", description="strongbox verify over many payments.")
    parser.add_argument("--payments", type=int, default=1_000_000, help="how many (1,000,000)")
    parser.add_argument("--wallets", type=int, default=10_000, help="out of how many wallets (10,000)")
    arguments = parser.parse_args()
    runs: list[Done] = []
    with tempfile.TemporaryDirectory() as name, _databases(Path(name)) as databases:
        for database, payments in zip(databases, (arguments.payments // 10, arguments.payments), strict=True):
            began_at = time.monotonic()
            fill(database.owner_url, payments, arguments.wallets, lambda step: print(f"filling: {step}", flush=True))
            print(f"{payments:,} payments filled in {time.monotonic() - began_at:.0f} s", flush=True)
            with gateway(database.app_url, Path(name)) as gateway_url:
                read_s = reading_s(database.app_url)
                run = verified(DATABASE_URL=database.app_url, GATEWAY_URL=gateway_url)
            runs.append(run)
            print(
                f"verified in {run.seconds:.1f} s, {run.seconds / read_s:.1f} times what reading the tables takes,"
                f" with {run.memory_mib:.0f} MiB: {run.said.splitlines()[-1]}"
            )
    few, many = runs
    print(
        f"ten times the payments: {many.seconds / few.seconds:.1f} times as long,"
        f" {many.memory_mib / few.memory_mib:.2f} times the memory"
    )
    return max(run.code for run in runs)


if __name__ == "__main__":
    sys.exit(main())
