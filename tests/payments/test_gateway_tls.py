"""Calls to a gateway over TLS: whose certificates are trusted, by payments and by all else that calls it."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.contexts.payments.adapters.console.breakers import breakers
from app.contexts.payments.adapters.gateway.control import MockGatewayControl
from app.platform.operations.parts import answer_of
from app.platform.outgoing.transport import Http1Transport
from tests.platform.peers import RawServer, echo, exchange, serving


@pytest.fixture
async def certificate(tmp_path: Path) -> Path:
    """One of localhost's, signed by nobody whom anybody knows; its key is beside it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    return certificate


@asynccontextmanager
async def serving_tls(certificate: Path) -> AsyncIterator[tuple[RawServer, str]]:
    """An echo over TLS, and its URL."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    async with serving(echo, tls) as server:
        yield server, server.url.replace("http://127.0.0.1", "https://localhost")


async def test_over_tls_the_certificate_is_checked(transport: Http1Transport, certificate: Path) -> None:
    async with serving_tls(certificate) as (server, url):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await exchange(transport, url)
        assert not server.requests
        transport._tls = ssl.create_default_context(cafile=certificate)
        for _ in range(2):
            assert (await exchange(transport, url)).content == b'{"n":1}'
        assert transport._open


async def test_all_that_calls_the_gateway_trusts_the_authorities_that_are_named(
    transport: Http1Transport, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serving_tls(certificate) as (server, url):
        assert (await exchange(transport, url)).is_success
        assert await MockGatewayControl(url).mode() is None  # it is none, but it answers
        assert (await answer_of(url)).is_success
        await breakers([url])
    assert len(server.requests) == 4
