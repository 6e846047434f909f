"""The receivers of the manual, run as they stand there: they take what is genuine, once, and nothing else."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.contexts.webhooks.domain.signing import shown, signature
from app.platform.process.processes import free_port
from tests.webhooks.office import Office, event, until

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/webhooks/examples"
SECRET = b"s" * 32
PROGRAMS = {"receiver.py": sys.executable, "receiver.mjs": shutil.which("node")}


@asynccontextmanager
async def receiving(name: str, secret: str) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """The program, its URL, and what it says."""
    program, port = PROGRAMS[name], free_port()
    if program is None:
        pytest.skip("node is not installed")
    process = await asyncio.create_subprocess_exec(
        program, str(EXAMPLES / name), stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret, "PORT": str(port)},
    )  # fmt: skip
    assert process.stdout
    try:
        await until(lambda: _answers(f"http://127.0.0.1:{port}"), f"{name} to listen")
        yield f"http://127.0.0.1:{port}", process.stdout
    finally:
        process.kill()
        await process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.post(url, content=b"{}").status_code == 401
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(("name", "language"), [("receiver.py", "python"), ("receiver.mjs", "js")])
def test_the_page_has_the_programs_that_are_tested(name: str, language: str) -> None:
    page = (ROOT / "docs/how-to/receive-webhooks.md").read_text()
    assert f"```{language}\n{(EXAMPLES / name).read_text()}```" in page


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_receiver_takes_what_is_sent_to_it_and_each_event_once(office: Office, name: str) -> None:
    endpoint, secret = await office.endpoint("http://127.0.0.1:1/")
    async with receiving(name, secret) as (url, said), office.sending():
        await office.container.manage().change(office.tenant, endpoint.id, {"url": url})
        await office.happen("payment.completed", subject="0193a5b2-7c4e-7d34-9d4e-5f6071829304")
        await office.sent(endpoint)
        line = await asyncio.wait_for(said.readline(), 120)
        assert line == b"payment.completed 0193a5b2-7c4e-7d34-9d4e-5f6071829304\n"
        delivery = await office.delivery(endpoint)
        await office.container.send_again().redeliver(office.tenant, endpoint.id, delivery.id)
        await office.sent(endpoint)
        await office.attempted(endpoint, 2)
        await office.happen("order.paid", subject="0193a5b2-7c4e-7d34-9d4e-5f6071829304")
        line = await asyncio.wait_for(said.readline(), 120)
        assert line.startswith(b"order.paid "), "the one before was known"


@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_receiver_refuses_what_is_not_genuine(name: str) -> None:
    async with receiving(name, shown(SECRET)) as (url, _), httpx.AsyncClient() as client:
        body, now = event(), int(time.time())

        async def told(
            at: int = now,
            secrets: tuple[bytes, ...] = (SECRET,),
            sent: bytes = body,
            headers: Mapping[str, str] | None = None,
        ) -> int:
            made = signature(secrets, "x", at, body)
            signed = {"webhook-id": "x", "webhook-timestamp": str(at), "webhook-signature": made}
            return (await client.post(url, content=sent, headers=signed | dict(headers or {}))).status_code

        assert await told() == 204
        assert await told(secrets=(b"o" * 32, SECRET)) == 204, "after a rotation one of two"
        assert await told(secrets=(b"o" * 32,)) == 401
        assert await told(sent=body + b" ") == 401
        assert await told(at=now - 301) == 401
        assert await told(at=now + 600) == 401
        for wrong in ({"webhook-id": "y"}, {"webhook-timestamp": "soon"}, {"webhook-timestamp": "1" * 5_000}):
            assert await told(headers=wrong) == 401
        for none in ("", "v1,", "v1", "v2,x"):
            assert await told(headers={"webhook-signature": none}) == 401
