"""`strongbox api --workers N`: several processes behind one port."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from app.main.local.roles import Urls
from tests.e2e.house import HEADERS, House, wait_until


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.fixture
def house(database: Urls, tmp_path: Path) -> House:
    return House(database, "amqp://unused", tmp_path)


def serving(house: House) -> bool:
    try:
        return httpx.get(f"{house.api_url}/readyz").is_success
    except httpx.HTTPError:
        return False


def test_workers_are_replaced_counted_together_and_end_with_their_parent(house: House) -> None:
    api = house.start("api", "app", "api", "--workers", "2", expect=lambda: serving(house))
    try:
        wait_until(lambda: len(children(api.pid)) == 2, "two workers")
        first = children(api.pid)[0]
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(set(children(api.pid)) - {first}) == 2, "a replacement")
        wait_until(lambda: serving(house), "service")
        for _ in range(20):
            assert httpx.get(f"{house.api_url}/wallets/x/balance", headers=HEADERS).status_code == 400
        seen = [line for line in httpx.get(f"{house.api_url}/metrics").text.splitlines() if 'status="400"' in line]
        assert [float(line.split()[-1]) for line in seen] == [20.0]
        workers = children(api.pid)
        assert house.stop("api") == 0
        assert gone(workers)
    finally:
        if api.poll() is None:
            api.kill()


def test_workers_whose_parent_is_killed_leave_the_port(house: House) -> None:
    api = house.start("api", "app", "api", "--workers", "2", expect=lambda: serving(house))
    wait_until(lambda: len(children(api.pid)) == 2, "two workers")
    workers = children(api.pid)
    house.stop("api", signal.SIGKILL)
    wait_until(lambda: gone(workers), "the workers to end")
    again = house.start("api", "app", "api", expect=lambda: serving(house))
    assert again.poll() is None
    assert house.stop("api") == 0
