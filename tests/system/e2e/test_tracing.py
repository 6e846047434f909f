"""One payment, one trace: over real processes, into a collector."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import httpx
import pytest

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.system.e2e.collector import Collector, Seen, collecting, tree
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import API_KEY, House, _ok, body, running, wait_until

UNSAMPLED = "1af7651916cd43dd8448eb211c80319c"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
APPROVED = [
    "SERVER POST /wallets/{user_id}/payments (strongbox-api)",
    "  CLIENT POST /charges (strongbox-api)",
    "  PRODUCER publish payments.events:payment.completed (strongbox-relay)",
    "    CONSUMER process payments.events:payment.completed:audit.queue (strongbox-audit)",
    "    CONSUMER process payments.events:payment.completed:metrics.queue (strongbox-metrics)",
    "  PRODUCER publish payments.events:payment.created (strongbox-relay)",
    "    CONSUMER process payments.events:payment.created:audit.queue (strongbox-audit)",
    "    CONSUMER process payments.events:payment.created:metrics.queue (strongbox-metrics)",
    "  CLIENT reserve (strongbox-api)",
    "  CLIENT settle (strongbox-api)",
]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def house(
    module_database: Urls, rabbitmq_url: str, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    asyncio.run(without_what_others_left(rabbitmq_url))
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with running(House(module_database, rabbitmq_url, tmp_path_factory.mktemp("house"), **settings)) as house:
        yield house


@pytest.fixture(scope="module")
def user_id(house: House) -> UUID:
    return house.wallet(31_337_000)


def test_a_payment_is_one_trace_from_its_request_to_the_consumers(
    house: House, user_id: UUID, collector: Collector
) -> None:
    order, key = house.payment(user_id, 7_654_321), "a-key-that-nobody-may-tell"
    headers = order["headers"] | {"Idempotency-Key": key, "traceparent": f"00-{TRACE}-{CALLER}-01"}
    answer = httpx.post(**order | {"headers": headers})
    assert answer.status_code == 201
    assert "traceparent" not in answer.headers
    wait_until(lambda: len(collector.trace(TRACE)) == len(APPROVED), "all spans to arrive")
    spans = collector.trace(TRACE)
    assert tree(spans) == APPROVED
    [request] = [span for span in spans if span.kind == "SERVER"]
    assert request.parent_id == CALLER
    assert request.attributes["strongbox.request.id"] == answer.headers["X-Request-ID"]
    wait_until(lambda: f'"trace_id":"{TRACE}"' in house.log("api"), "the log to name the trace")
    payment_id = body(answer, 201)["payment_id"]
    named = {span.name: span.attributes.get("strongbox.payment.id") for span in spans}
    assert {name for name, about in named.items() if about != payment_id} == {"reserve", "settle"}
    events = dict(house.query("SELECT type, event_id::text FROM outbox_events WHERE payment_id = %s", payment_id))
    for span in spans:
        if "messaging.message.id" in span.attributes:
            assert span.attributes["messaging.message.id"] == events[span.name.split(":")[1]]
    [charge] = [span for span in spans if span.name == "POST /charges"]
    assert charge.events == [("attempt", {"http.response.status_code": 201})]
    assert not any(span.failed for span in spans)
    for secret in (key, API_KEY, "7654321", "31337000", "bill 7", str(user_id)):
        assert secret.encode() not in collector.raw
    assert 7_654_321 not in [value for span in spans for value in span.attributes.values()]


def test_what_recovery_finishes_goes_on_in_the_trace_of_its_request(
    house: House, user_id: UUID, collector: Collector
) -> None:
    house.mode("timeout", applies_to="all")
    answer = house.pay(user_id, 10)
    assert answer.status_code == 504
    payment_id = answer.json()["error"]["details"]["payment_id"]
    house.mode("happy")
    wait_until(lambda: house.trail(payment_id) == ["payment.created", "payment.failed", "refund.created"], "the end")
    wait_until(lambda: collector.count(payment_id, "process") == 5, "the consumers' spans")
    wait_until(lambda: is_told(collector.trace_of(payment_id)), "the spans of its request, and of recovery")
    spans = collector.trace_of(payment_id)
    assert len({span.trace_id for span in spans}) == 1
    lines = tree(spans)
    # The last of them: where the machine came late to tell the gateway's mode, one has been in vain.
    start = max(at for at, line in enumerate(lines) if line == "  INTERNAL recover (strongbox-recover)")
    assert lines[start : start + 5] == [
        "  INTERNAL recover (strongbox-recover)",
        "    CLIENT GET /charges/{payment_id} (strongbox-recover)",
        "    CLIENT POST /charges/{payment_id}/void (strongbox-recover)",
        "    CLIENT mark (strongbox-recover)",
        "    CLIENT settle (strongbox-recover)",
    ]
    [request] = [span for span in spans if span.kind == "SERVER"]
    [recovered] = [span for span in spans if span.name == "recover" and not span.failed][-1:]
    assert recovered.parent_id == request.id
    assert (request.failed, request.attributes["error.type"]) == (True, "504")
    charges = [span for span in spans if span.name == "POST /charges"]
    assert [span.attributes["error.type"] for span in charges] == ["GATEWAY_TIMEOUT"]
    assert charges[0].events[0] == ("attempt", {"error.type": "ReadTimeout"})


def is_told(spans: list[Seen]) -> bool:
    """Whether the request has come, and a recovery that was not in vain: what it took comes before it."""
    return any(span.kind == "SERVER" for span in spans) and any(
        span.name == "recover" and not span.failed for span in spans
    )


def test_a_request_that_is_not_sampled_leaves_no_span_anywhere(
    house: House, user_id: UUID, collector: Collector
) -> None:
    order = house.payment(user_id, 10)
    order["headers"]["traceparent"] = f"00-{UNSAMPLED}-{CALLER}-00"
    payment_id = httpx.post(**order).json()["payment_id"]
    wait_until(lambda: len(house.trail(payment_id)) == 2, "the audit trail")
    seen = house.paid(user_id, 10)
    wait_until(lambda: collector.count(seen, "process") == 4, "the spans of a payment after it")
    assert collector.trace(UNSAMPLED) == collector.trace_of(payment_id) == []
    [(stored,)] = house.query("SELECT traceparent FROM payments WHERE id = %s", payment_id)
    assert (stored[:36], stored[-2:]) == (f"00-{UNSAMPLED}-", "00")
    assert CALLER not in stored


def test_several_workers_send_all_their_spans_when_they_are_told_to_end(
    house: House, user_id: UUID, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_api(house, monkeypatch, "--workers", "2", OTEL_BSP_SCHEDULE_DELAY="60000") as pay:
        paid = [pay(user_id).json()["payment_id"] for _ in range(6)]
        assert [collector.count(payment_id, "POST") for payment_id in paid] == [0] * 6
    for payment_id in paid:
        assert collector.count(payment_id, "POST") == 2, "the request and the charge"


def test_a_collector_that_never_answers_changes_nothing(
    house: House, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        small = {"OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with another_api(house, monkeypatch, OTEL_EXPORTER_OTLP_ENDPOINT=url, **small) as pay:
            assert [pay(user_id).status_code for _ in range(20)] == [201] * 20
        # It said so once, though most spans were lost; at its end it waited for those under way, and not for long.
        assert house.log("another").count("spans_lost") == 2
        assert "they were not taken within 2 s" in house.log("another")


@contextmanager
def another_api(
    house: House, monkeypatch: pytest.MonkeyPatch, *words: str, **settings: str
) -> Iterator[Callable[[UUID], httpx.Response]]:
    """A second API with other settings, until the end of the block, and how to pay at it."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    for name, value in {**settings, "HTTP_PORT": port}.items():
        monkeypatch.setitem(house.environment, name, value)
    house.start("another", "app", "api", *words, expect=lambda: _ok(f"{url}/readyz"))
    order = house.payment(UUID(int=0), 10)

    def pay(user_id: UUID) -> httpx.Response:
        headers = order["headers"] | {"Idempotency-Key": str(uuid4())}
        return httpx.post(f"{url}/wallets/{user_id}/payments", headers=headers, json=order["json"])

    yield pay
    assert house.stop("another") == 0
