"""Logs that nobody reads: the reader has died, or is stuck, or the disk is full. Every process serves on, and ends."""

import asyncio
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from app.platform.process.processes import free_port
from tests.conftest import MakeDatabase
from tests.pace import slow
from tests.system.e2e.conftest import METRICS_PORTS, without_what_others_left
from tests.system.e2e.house import House, running, wait_until

END_WITHIN_S = 5.0
"""For a process that holds nothing: a second for its lines, and what a machine with much to do takes."""
OF_METRICS = {
    "api": "HTTP_PORT",
    "relay": "RELAY_METRICS_PORT",
    "recover": "RECOVER_METRICS_PORT",
    "metrics": "METRICS_PORT",
    "audit": "CONSUMER_METRICS_PORT",
}
UNREAD = ("dead", "stuck", "full")


class Unread:
    """Something to write to that nobody reads."""

    def __init__(self, kind: str) -> None:
        if kind == "full":
            self.end = os.open("/dev/full", os.O_WRONLY)
            return
        self.reader, self.end = os.pipe()
        if kind == "dead":
            os.close(self.reader)
        else:
            os.write(self.end, b"\n" * fcntl.fcntl(self.end, fcntl.F_GETPIPE_SZ))  # the next byte has no room

    def close(self) -> None:
        os.close(self.end)
        with suppress(OSError, AttributeError):
            os.close(self.reader)


@pytest.fixture(scope="module", params=UNREAD)
def unread(
    request: pytest.FixtureRequest,
    make_fresh_database: MakeDatabase,
    rabbitmq_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """Every process of Strongbox, with such an output."""
    asyncio.run(without_what_others_left(rabbitmq_url))
    ports = {name: str(free_port()) for name in METRICS_PORTS}
    house = House(make_fresh_database(), rabbitmq_url, tmp_path_factory.mktemp(request.param), **ports)
    with closing(Unread(request.param)) as output:
        house.output = output.end
        with running(house):
            yield house


def lost(house: House, name: str) -> float:
    """How many lines the process says it lost."""
    shown = httpx.get(f"http://127.0.0.1:{house.environment[OF_METRICS[name]]}/metrics").raise_for_status().text
    return next(float(line.split()[1]) for line in shown.splitlines() if line.startswith("strongbox_log_lines_lost_t"))


def test_payments_are_taken_published_and_recovered(unread: House) -> None:
    user = unread.wallet(1_000)
    paid = unread.pay(user, 10)
    assert paid.status_code == 201
    wait_until(lambda: len(unread.trail(paid.json()["payment_id"])) == 2, "its events in the audit trail")
    unread.mode("timeout", applies_to="all")
    left = unread.pay(user, 10)
    assert left.json()["error"]["details"]["status"] == "PENDING"
    unread.mode("happy")
    wait_until(unread.quiet, "the payment to be recovered, and its events in the audit trail")
    unread.verify()


def test_lines_that_are_lost_are_counted_by_each_process(unread: House, request: pytest.FixtureRequest) -> None:
    """Those that a stuck reader may yet read are not lost."""
    is_stuck = "stuck" in request.node.name
    for name in OF_METRICS:
        wait_until(lambda: (lost(unread, name) == 0) is is_stuck, f"{name} to count its lines")  # noqa: B023


def test_every_process_ends_when_it_is_told_to(unread: House) -> None:
    for name in ("api", "recover", "relay", "metrics", "audit", "gateway"):
        began = time.monotonic()
        assert unread.stop(name) == 0, name
        assert time.monotonic() - began < slow(END_WITHIN_S), name


@pytest.mark.parametrize("kind", UNREAD)
def test_a_process_that_refuses_to_start_ends(kind: str, postgres_url: str, tmp_path: Path) -> None:
    """It says why, where nobody reads it: that the schema is behind."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": postgres_url,
        "GATEWAY_URL": "http://127.0.0.1:1",
        "LOG_LEVEL": "warning",
    }
    with closing(Unread(kind)) as output:
        done = subprocess.run(
            [sys.executable, "-m", "app", "recover"],
            env=environment, cwd=tmp_path, stdout=output.end, stderr=output.end, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 1
