"""The gateway's adapter beside the mock gateway, a process of its own: every mode is read right."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.contexts.payments.domain.outcome import Absent, Approved, Declined, Mismatched, Unknown, Voided
from tests.payments.gateways import (
    ERROR,
    TIMEOUT,
    adapter,
    deadline,
)
from tests.payments.test_gateway_answers import a_payment


@pytest.fixture(scope="module")
async def mock_url() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mock_gateway", stdout=-1, env=os.environ | {"MOCK_GATEWAY_PORT": "0"}
    )
    try:
        assert process.stdout
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        yield line.partition("on ")[2].partition(",")[0]
    finally:
        process.terminate()
        await process.communicate()


async def set_mode(url: str, mode: str, **more: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        (await http.put(f"{url}/admin/mode", json={"mode": mode, **more})).raise_for_status()


@pytest.mark.parametrize(
    ("mode", "more", "outcome", "found"),
    [
        ("happy", {}, Approved(), Approved()),
        ("declined", {}, Declined("DO_NOT_HONOR"), Declined("DO_NOT_HONOR")),
        ("latency", {"latency_ms": 50}, Approved(), Approved()),
        ("500", {}, Unknown(ERROR), Absent()),
        ("500", {"charge": "before"}, Unknown(ERROR), Approved()),
        ("reset", {}, Unknown(TIMEOUT), Absent()),
        ("reset", {"charge": "before"}, Unknown(TIMEOUT), Approved()),
        ("timeout", {"charge": "before"}, Unknown(TIMEOUT), Approved()),
        ("429", {}, Unknown(ERROR), Absent()),
        ("garbage", {"charge": "before"}, Unknown(ERROR), Approved()),
        ("wrong_amount", {"charge": "before"}, Unknown(ERROR), Mismatched()),
    ],
)
async def test_every_mode_of_the_mock_gateway_is_read_right(
    mock_url: str, mode: str, more: dict[str, Any], outcome: object, found: object
) -> None:
    payment = a_payment()
    await set_mode(mock_url, mode, **more)
    async with adapter(mock_url, timeout_s=3.0, attempts=2) as gateway:
        assert await gateway.charge(payment, deadline()) == outcome
        assert await gateway.ask(payment, deadline()) == found
        if isinstance(found, Declined):
            assert await gateway.void(payment, deadline()) == found
        else:
            assert await gateway.void(payment, deadline()) == Voided(ERROR)
            await set_mode(mock_url, "happy")
            assert await gateway.charge(payment, deadline()) == Voided(ERROR)
