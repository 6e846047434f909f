"""The consumers as processes: `python -m consumers`."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.platform.outbox_fixtures import Broker, document, eventually, query

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path, database: Urls, rabbitmq_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "DATABASE_URL": database.app_url,
        "RABBITMQ_URL": rabbitmq_url,
        "METRICS_PORT": str(free_port()),
        "HEARTBEAT_DIR": str(tmp_path),
    }


@contextmanager
def process(name: str, environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "consumers", name], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
        try:
            yield child
        finally:
            child.kill()
            child.wait(60)


def run(arguments: list[str], environment: dict[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "consumers", *arguments]
    return subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_the_audit_consumer_works_until_it_is_told_to_stop(
    broker: Broker, database: Urls, environment: dict[str, str], tmp_path: Path, end: signal.Signals
) -> None:
    assert run(["audit", "--check"], environment, tmp_path).returncode == 1
    with process("audit", environment, tmp_path) as child:
        for _ in range(300):
            await broker.send(document(uuid4()))
        await eventually(lambda: query(database.app_url, "SELECT count(*) FROM audit.events") == [(300,)])
        assert run(["audit", "--check"], environment, tmp_path).returncode == 0
        child.send_signal(end)
        assert await asyncio.to_thread(child.wait, 120) == 0
    assert run(["audit", "--check"], environment, tmp_path).returncode == 1
    assert await broker.depth("audit.queue") == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert "only-for-tests" not in log


async def test_a_killed_metrics_consumer_shows_the_right_numbers_when_it_is_back(
    broker: Broker, database: Urls, environment: dict[str, str], tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{environment['METRICS_PORT']}"

    async def counts(number: int) -> bool:
        try:
            return f'strongbox_payments_total{{currency="USD",status="PENDING"}} {number}.0' in await metrics()
        except httpx.TransportError:
            return False

    async def metrics() -> str:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{base}/metrics")
            return answer.text.replace('status="PENDING",currency="USD"', 'currency="USD",status="PENDING"')

    with process("metrics", environment, tmp_path) as child:
        for _ in range(30):
            await broker.send(document(uuid4()))
        await eventually(lambda: counts(30))
        child.kill()
    for _ in range(5):
        await broker.send(document(uuid4()))
    with process("metrics", environment, tmp_path) as child:
        await eventually(lambda: counts(35))
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{base}/healthz")).status_code == 200
        child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, 120) == 0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("audit", {"RABBITMQ_URL": ""}, "RABBITMQ_URL is not set"),
        ("audit", {"RABBITMQ_URL": "http://x"}, "RABBITMQ_URL"),
        ("audit", {"DATABASE_URL": ""}, "DATABASE_URL (or AUDIT_DATABASE_URL) is not set"),
        ("metrics", {"METRICS_PORT": "http"}, "METRICS_PORT"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    environment: dict[str, str], tmp_path: Path, name: str, change: dict[str, str], message: str
) -> None:
    answer = run([name], environment | change, tmp_path)
    assert answer.returncode == 2
    assert message in answer.stderr


def test_each_command_has_help(environment: dict[str, str], tmp_path: Path) -> None:
    for arguments in ([], ["metrics"], ["audit"]):
        answer = run([*arguments, "--help"], environment, tmp_path)
        assert (answer.returncode, "Usage: python -m consumers" in answer.stdout) == (0, True)
