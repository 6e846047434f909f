"""`strongbox api --workers N`: several processes behind one port."""

import os
import resource
import signal
import tempfile
from pathlib import Path

import httpx
import pytest

from app.main.api import DESCRIPTORS
from app.main.local.roles import Urls
from app.platform.process.workers import METRICS_PREFIX, metrics_folder
from tests.prometheus import promtool
from tests.system.e2e.house import HEADERS, House, wait_until


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


def refused(house: House) -> list[float]:
    """The counts of requests that were answered with 400."""
    lines = httpx.get(f"{house.api_url}/metrics").text.splitlines()
    return [float(line.split()[-1]) for line in lines if 'status="400"' in line]


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
        wait_until(lambda: refused(house) == [20.0], "all answers to be counted")
        workers = children(api.pid)
        assert house.stop("api") == 0
        assert gone(workers)
    finally:
        if api.poll() is None:
            api.kill()


def test_an_api_takes_all_the_descriptors_that_it_may(house: House) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        api = house.start("api", "app", "api", expect=lambda: serving(house))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        now, most = resource.prlimit(api.pid, resource.RLIMIT_NOFILE)
        assert (now, most) == (min(hard, DESCRIPTORS) if hard != resource.RLIM_INFINITY else DESCRIPTORS, hard)
    finally:
        house.stop("api")


def test_gauges_are_those_of_living_workers_and_counters_those_of_all(house: House) -> None:
    """Each worker has 512 slots, and counts what it answers: a killed one's slots go, its answers stay counted."""

    def shown(series: str) -> float:
        lines = httpx.get(f"{house.api_url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(series))

    api = house.start("api", "app", "api", "--workers", "2", expect=lambda: serving(house))
    try:
        wait_until(lambda: shown("strongbox_gateway_slots ") == 1024, "both workers' slots")
        each = 62  # as the manual has them, which tests/system/test_kubernetes_manual.py counts
        wait_until(lambda: shown("strongbox_pool_max_connections") == 2 * each, "both workers' pools")
        assert shown("strongbox_build_info{") == 1
        for _ in range(20):
            assert httpx.get(f"{house.api_url}/wallets/x/balance", headers=HEADERS).status_code == 400
        wait_until(lambda: shown("strongbox_error_answers_total{") == 20, "all answers to be counted")
        cpu_s = shown("process_cpu_seconds_total ")
        os.kill(children(api.pid)[0], signal.SIGKILL)
        wait_until(lambda: shown("strongbox_gateway_slots ") == 512, "the slots of the killed worker to go")
        wait_until(lambda: shown("strongbox_gateway_slots ") == 1024, "those of its replacement")
        assert shown("strongbox_error_answers_total{") == 20
        assert shown("process_cpu_seconds_total ") >= cpu_s
        assert promtool("check", "metrics", given=httpx.get(f"{house.api_url}/metrics").text) == ""
        assert house.stop("api") == 0
    finally:
        if api.poll() is None:
            api.kill()


def test_what_a_killed_parent_left_goes_with_the_next_start_and_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{METRICS_PREFIX}left"
    left.mkdir()
    (left / "counter_1.db").touch()
    with metrics_folder() as first, metrics_folder() as second:
        assert {first, second} == set(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_workers_whose_parent_is_killed_leave_the_port(house: House) -> None:
    api = house.start("api", "app", "api", "--workers", "2", expect=lambda: serving(house))
    wait_until(lambda: len(children(api.pid)) == 2, "two workers")
    workers = children(api.pid)
    house.stop("api", signal.SIGKILL)
    wait_until(lambda: gone(workers), "the workers to end")
    again = house.start("api", "app", "api", expect=lambda: serving(house))
    assert again.poll() is None
    assert house.stop("api") == 0
