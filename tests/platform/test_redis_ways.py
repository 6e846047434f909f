"""The ways to a Redis that a URL may name: by TLS, by a socket, as a user with few rights."""

import asyncio
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.main.local.redis import RedisServer
from app.platform.limits.redis_buckets import RedisBuckets
from app.platform.limits.shared import PROBE
from app.platform.process.processes import free_port
from app.platform.process.redis_urls import redis_place
from tests.platform.redis_fixtures import mortal_redis, server

__all__ = ["mortal_redis"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One of localhost's, signed by nobody whom anybody knows; its key is beside it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    return certificate


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """One whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sb-") as folder:
        yield Path(folder)


@pytest.fixture
async def asked() -> AsyncIterator[list[RedisBuckets]]:
    """What a test has asked, to hang up at its end."""
    buckets: list[RedisBuckets] = []
    yield buckets
    for one in buckets:
        await one.close()


async def ask(url: str, asked: list[RedisBuckets]) -> None:
    """Have a token taken there, twice over one connection."""
    asked.append(RedisBuckets(redis_place(url)))
    for _ in range(2):
        assert await asked[-1].ask([PROBE]) == [0]


async def test_over_tls_the_certificate_and_the_name_are_checked(
    certificate: Path, tmp_path: Path, asked: list[RedisBuckets], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    tls = (f"tls-port {port}", "tls-auth-clients no", f"tls-cert-file {certificate}")
    private = server("Redis", tmp_path / "redis", *tls, f"tls-key-file {certificate.with_name('key.pem')}")
    await asyncio.to_thread(private.start)
    try:
        login = private.url.partition("@")[0].partition("//")[2]
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(f"rediss://{login}@localhost:{port}", asked)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await ask(f"rediss://{login}@localhost:{port}", asked)
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(f"rediss://{login}@127.0.0.1:{port}", asked)
    finally:
        private.stop()


async def test_by_a_socket_one_is_there_as_well(tmp_path: Path, socket_folder: Path, asked: list[RedisBuckets]) -> None:
    private = server("Valkey", tmp_path / "redis", f'unixsocket "{socket_folder}/a b.sock"')
    await asyncio.to_thread(private.start)
    try:
        login = private.url.partition("@")[0].partition("//")[2]
        await ask(f"unix://{login}@{socket_folder}/a%20b.sock?db=3", asked)
    finally:
        private.stop()


async def test_a_login_needs_few_rights_and_the_page_says_which(
    mortal_redis: RedisServer, asked: list[RedisBuckets]
) -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text()
    (rights,) = (line for line in page.splitlines() if line.startswith("| its login | `~strongbox:limit:*"))
    first, *others = rights.split("`")[1::2]
    assert others == ["+select"]
    fewer = [right for right in first.split() if right != "+info"]
    async with Redis.from_url(mortal_redis.url) as operator:
        await operator.execute_command("ACL", "SETUSER", "limits", "on", ">few-rights", *fewer)  # type: ignore[no-untyped-call]
        await ask(f"redis://limits:few-rights@127.0.0.1:{mortal_redis.port}", asked)
        assert await asked[-1].info() == {}
        await operator.script_flush()
        await ask(f"redis://limits:few-rights@127.0.0.1:{mortal_redis.port}", asked)
        await operator.execute_command("ACL", "SETUSER", "limits", "+select", "+info")  # type: ignore[no-untyped-call]
        await ask(f"redis://limits:few-rights@127.0.0.1:{mortal_redis.port}/1", asked)
        assert (await asked[-1].info())["maxmemory_policy"] == "volatile-lru"
