"""Limits of several processes of the API, over a real Redis that freezes."""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.main.local.redis import RedisServer
from tests.conftest import MakeDatabase
from tests.platform.redis_fixtures import server
from tests.system.e2e.house import LIMIT_S, House, wait_until

BURST, REQUESTS = 20, 90
PASSED = 400
"""What a body that is no JSON is answered with, once it was let through."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Valkey that may be halted."""
    mortal = server("Valkey", tmp_path_factory.mktemp("redis"))
    mortal.start()
    try:
        yield mortal
    finally:
        mortal.stop()


@pytest.fixture(scope="module")
def houses(
    make_fresh_database: MakeDatabase, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[House]]:
    """An API of one process and one of two, over one database."""
    settings = {"RATE_LIMIT_IP": f"0.001:{BURST}", "REDIS_URL": redis.url, "TRUSTED_PROXIES": "127.0.0.1/32"}
    settings["LOG_HASH_KEY"] = "the-same-for-all-processes-of-the-api"
    database = make_fresh_database()
    found = [
        House(database, "amqp://nobody/", tmp_path_factory.mktemp("api"), HTTP_WORKERS=workers, **settings)
        for workers in ("1", "2")
    ]
    try:
        for house in found:
            house.start_api()
        yield found
        assert {code for house in found for code in house.stop_all().values()} == {0}
    finally:
        for process in (process for house in found for process in house.processes.values()):
            process.kill()
            process.wait()


def answers(houses: list[House], address: str) -> Counter[int]:
    """What many requests of one address are answered with, that go to all processes at the same time."""
    fields = {"Content-Type": "application/json", "X-Forwarded-For": address}

    def ask(number: int) -> int:
        url = f"{houses[number % len(houses)].api_url}/v1/auth/login"
        return httpx.post(url, content=b"{", headers=fields, timeout=LIMIT_S).status_code

    with ThreadPoolExecutor(8) as threads:
        return Counter(threads.map(ask, range(REQUESTS)))


def are_alone(houses: list[House]) -> bool:
    """Whether in each API a process counts alone, by its metrics."""
    found = [httpx.get(f"{house.api_url}/metrics").text for house in houses]
    return all(re.search(r"^strongbox_limits_by_process 1\.0$", text, re.MULTILINE) for text in found)


def are_together(houses: list[House]) -> bool:
    """Whether in none does."""
    found = [httpx.get(f"{house.api_url}/metrics").text for house in houses]
    return all(re.search(r"^strongbox_limits_by_process 0\.0$", text, re.MULTILINE) for text in found)


def returns(houses: list[House]) -> int:
    """How often a process has come to ask Redis, or has again."""
    return sum(house.log("api").count("limits_shared") for house in houses)


def answers_by_redis(houses: list[House], network: str) -> Counter[int]:
    """The same, of an address in that network, while all processes ask Redis: one that it does not answer in time, as a
    busy machine's may not, counts alone for a moment."""
    found: list[Counter[int]] = []

    def were_together() -> bool:
        wait_until(lambda: are_together(houses), "Redis to be asked")
        before = returns(houses)
        found.append(answers(houses, f"{network}.{len(found) + 1}"))
        wait_until(lambda: are_together(houses), "Redis to be asked")
        return returns(houses) == before

    wait_until(were_together, "all processes to ask Redis meanwhile")
    return found[-1]


def test_all_processes_share_a_limit_and_each_goes_on_alone_while_redis_is_frozen(
    houses: list[House], redis: RedisServer
) -> None:
    assert answers_by_redis(houses, "192.0.2") == {PASSED: BURST, 429: REQUESTS - BURST}
    assert redis.process
    redis.process.send(signal.SIGSTOP)
    frozen = answers(houses, "198.51.100.1")
    assert frozen.keys() == {PASSED, 429}
    assert BURST <= frozen[PASSED] <= 3 * BURST
    wait_until(lambda: are_alone(houses), "the processes to see it")
    assert httpx.get(f"{houses[0].api_url}/readyz").status_code == 200
    said = houses[0].command("status", code=1)
    assert re.search(r"^redis +down .*\n +→ see to Redis", said, re.MULTILINE), said
    assert redis.url not in "".join(house.log("api") for house in houses) + said
    redis.process.send(signal.SIGCONT)
    assert answers_by_redis(houses, "203.0.113") == {PASSED: BURST, 429: REQUESTS - BURST}
    assert re.search(r"^redis +ok +Valkey ", houses[0].command("status", code=1), re.MULTILINE)
