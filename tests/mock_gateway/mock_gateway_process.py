"""The mock gateway as a process of its own, over real sockets, and how the tests talk to it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

PROVIDER = "6a0e0f4e-50c4-4f0f-9a5e-6f1f4b0d1a11"


@asynccontextmanager
async def process(**settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m mock_gateway` with these settings, ended (and reaped) however the test ends."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MOCK_GATEWAY_")} | settings
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mock_gateway", stdout=-1, stderr=-1, env=environment
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def port_of(started: asyncio.subprocess.Process) -> int:
    """The port that the one line names."""
    assert started.stdout
    line = (await asyncio.wait_for(started.stdout.readline(), 60)).decode()
    assert line.startswith(("mock gateway serves on http://127.0.0.1:", "mock gateway serves on http://[::]:")), line
    return int(line.partition(",")[0].rpartition(":")[2])


class Mock(NamedTuple):
    """A running mock gateway."""

    http: httpx.AsyncClient
    port: int
    process: asyncio.subprocess.Process

    async def mode(self, mode: str, **more: Any) -> httpx.Response:
        return await self.http.put("/admin/mode", json={"mode": mode, **more})

    async def charge(self, payment: str, **changed: Any) -> httpx.Response:
        body = body_of(payment) | changed
        return await self.http.post("/charges", json=body, headers={"Idempotency-Key": payment})

    async def ask(self, payment: str) -> httpx.Response:
        return await self.http.get(f"/charges/{payment}")

    async def void(self, payment: str) -> httpx.Response:
        return await self.http.post(f"/charges/{payment}/void")

    async def record(self, payment: str) -> dict[str, Any] | None:
        """What the gateway knows of the payment: None when it never heard of it, status None without a charge."""
        answer = await self.http.get(f"/admin/charges/{payment}")
        return answer.json() if answer.status_code == 200 else None

    async def status(self, payment: str) -> str | None:
        record = await self.record(payment)
        return record["status"] if record else None

    async def listed(self) -> dict[str, dict[str, Any]]:
        entries = (await self.http.get("/admin/charges")).json()["charges"]
        by_payment = {entry["payment_id"]: entry for entry in entries}
        assert len(by_payment) == len(entries)
        return by_payment

    async def raw(self, request: bytes) -> bytes | str:
        """What comes back on a fresh connection until it is closed, or "reset"."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 60)
        except ConnectionResetError:
            return "reset"
        finally:
            writer.close()


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Mock]:
    """A mock gateway with these settings that serves, on a free port."""
    async with process(MOCK_GATEWAY_PORT="0", **settings) as started:
        port = await port_of(started)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield Mock(client, port, started)


async def emptied(server: Mock) -> Mock:
    """The gateway as it was at its start."""
    assert (await server.mode("happy")).status_code == 200
    assert (await server.http.delete("/admin/charges")).status_code == 204
    return server


def body_of(payment: str) -> dict[str, Any]:
    return {
        "payment_id": payment,
        "provider_id": PROVIDER,
        "external_reference": "order 7",
        "amount": 1250,
        "currency": "USD",
    }


def raw_charge(payment: str, headers: str = "connection: close\r\n") -> bytes:
    body = json.dumps(body_of(payment))
    return (
        f"POST /charges HTTP/1.1\r\nhost: x\r\nidempotency-key: {payment}\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 -- the other process has no event to wait for
            await asyncio.sleep(0.01)


async def becomes(gateway: Mock, payment: str, status: str | None) -> None:
    async def there() -> bool:
        return await gateway.status(payment) == status

    await eventually(there)


async def arrives(gateway: Mock, payment: str) -> None:
    """Wait until the gateway has seen a charge request of the payment, whatever it makes of it."""

    async def there() -> bool:
        record = await gateway.record(payment)
        return record is not None and record["attempts"]["charge"] > 0

    await eventually(there)
