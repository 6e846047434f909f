"""Who is no browser of an operator's, what they send, and what each answer to them must have."""

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import aio_pika
import httpx
import pytest

from tests.system.browser.consoles import Console, Visitor
from tests.system.e2e.house import House

CANARY = "<script>alert('canary')</script>\"'<img src=x onerror=alert(1)>"
PAGES = (
    "/",
    "/payments",
    "/wallets",
    "/dead-letters",
    "/replay",
    "/gateway",
    "/actions",
    "/job",
    "/cache",
    "/mints",
    "/chain",
)
FORMS: dict[str, dict[str, str]] = {
    "/logout": {},
    "/dead-letters/redrive": {"queue": "audit.queue", "id": "x"},
    "/dead-letters/redrive-all": {"queue": "audit.queue"},
    "/dead-letters/audit.queue/x/drop": {},
    "/replay": {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00", "queue": "audit.queue", "run": "yes"},
    "/job/cancel": {},
    "/cache/forget": {"tenant": "default", "key": "product:*"},
    "/gateway": {"mode": "happy", "applies_to": "all", "rate": "100", "latency_ms": "", "charge": "never"},
}
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def visitor(console: Console) -> Visitor:
    return console.visitor()


@pytest.fixture(scope="module")
def lonely(house: House) -> Iterator[Console]:
    """A console whose database, audit trail, broker, API and gateway are all away, and which is found by https."""
    nowhere = {
        "DATABASE_URL": "postgresql://nobody:secret-1@127.0.0.1:1/none",
        "RABBITMQ_URL": "amqp://nobody:secret-2@127.0.0.1:1/",
        "GATEWAY_URL": "http://127.0.0.1:1",
        "HTTP_PORT": "1",
    }
    console = Console(house, "lonely", CONSOLE_URL="https://console.test", **nowhere)
    console.start()
    yield console
    console.stop()


def guarded(answer: httpx.Response) -> None:
    """Every answer tells browsers what they may not do with it."""
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] in ("no-store", "no-cache")


HOSTILE = [
    "",
    "x",
    "%00",
    "%ff",
    "..",
    "%2e%2e%2f",
    "a" * 300,
    quote(CANARY),
    "1e400",
    "-1",
    "%F0%9F%92%A9",
    "٣",
    "None",
]
QUERIES = [
    "/payments?status={}", "/payments?before={}", "/payments?before=2026-01-01T00:00:00_{}", "/payments?{}",
    "/payments?status=FAILED&status={}", "/search?id={}", "/search", "/actions?before={}", "/dead-letters?queue={}",
    "/dead-letters?skip={}", "/replay?since={}", "/login?next={}", "/wallets/x?cursor={}", "/payments/{}",
    "/wallets/{}", "/dead-letters/{}/x", "/dead-letters/audit.queue/{}", "/dead-letters/audit.queue/{}/drop",
    "/static/{}", "/live/{}", "/{}", "/products/{}", "/orders?user={}", "/orders?tenant={}", "/orders/default/{}",
    "/cache?x={}", "/cache/forget?tenant=default&key={}", "/cache/forget?tenant={}&key=x",
    "/products/0190c7a0-0000-7000-8000-000000000001?before={}",
    "/payments?before=0001-01-01T00:00:00%2B23:59_0190c7a0-0000-7000-8000-000000000001&status={}",
]  # fmt: skip


async def dead(house: House, text: str) -> str:
    """A dead letter with the text in everything that a publisher writes."""
    message_id = str(uuid.uuid4())
    headers: Any = {"x-death-reason": text, "x-death-at": text, text[:60]: text}
    message = aio_pika.Message(text.encode(), message_id=message_id, type=text, headers=headers)
    async with await aio_pika.connect(house.environment["RABBITMQ_URL"]) as connection:
        await (await connection.channel()).default_exchange.publish(message, "audit.dlq")
    return message_id
