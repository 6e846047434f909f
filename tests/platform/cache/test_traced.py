"""Which spans what is asked of the cache makes, and that they tell neither keys nor values."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry

from app.kernel.principal import TenantId
from app.platform.cache.cache import TwoLevels
from app.platform.cache.in_process import InProcess
from app.platform.cache.making import Constant
from app.platform.cache.metrics import CacheMetrics
from app.platform.cache.ports import Kind
from app.platform.cache.traced import TracedCache
from app.platform.tracing.context import within
from tests.fakes.spans import Spans, attributes, parent_id, recorded

PRODUCT: Kind[str] = Kind("product", str, (60.0, 300.0))
TENANT = TenantId(uuid4())
NAME, VALUE = "a-name-of-7", "a value of 7"


@pytest.fixture
def spans() -> Spans:
    return recorded()


@pytest.fixture
async def cache(spans: Spans) -> AsyncIterator[TracedCache]:
    """A cache of a process alone."""
    alone = TwoLevels(InProcess(1_000_000), Constant(is_fresh=True), None, CacheMetrics(CollectorRegistry()))
    yield TracedCache(alone, spans.tracer)
    await alone.close()


async def load() -> str:
    return VALUE


async def fail() -> str:
    raise LookupError(VALUE)


async def in_a_request(spans: Spans, *works: Callable[[], Awaitable[object]]) -> list[ReadableSpan]:
    """The spans that the works make in a request, and that they are its children."""
    request = spans.tracer.start_span("request")
    with within(request):
        for work in works:
            await work()
    *made, last = spans()
    assert last.name == "request"
    assert {parent_id(span) for span in made} == {f"{last.context.span_id:016x}"}
    return made


async def test_a_get_tells_whether_it_was_kept_or_loaded_and_a_deletion_whether_it_was_confirmed(
    spans: Spans, cache: TracedCache
) -> None:
    async def get() -> None:
        assert await cache.get(TENANT, PRODUCT, NAME, load) == VALUE

    async def delete() -> None:
        assert await cache.delete(TENANT, [PRODUCT.key(NAME), PRODUCT.key("another")])

    made = await in_a_request(spans, get, get, delete, get)
    got = {"strongbox.cache.kind": "product"}
    assert [(span.name, span.kind, attributes(span)) for span in made] == [
        ("cache get", SpanKind.CLIENT, got | {"strongbox.outcome": "loaded"}),
        ("cache get", SpanKind.CLIENT, got | {"strongbox.outcome": "kept"}),
        ("cache delete", SpanKind.CLIENT, {"strongbox.cache.keys": 2, "strongbox.outcome": "confirmed"}),
        ("cache get", SpanKind.CLIENT, got | {"strongbox.outcome": "loaded"}),
    ]
    told = "".join(span.to_json() for span in spans())
    assert (NAME in told, VALUE in told) == (False, False)


async def test_a_load_that_fails_is_a_span_that_failed_and_says_of_it_only_its_kind(
    spans: Spans, cache: TracedCache
) -> None:
    async def get() -> None:
        with pytest.raises(LookupError):
            await cache.get(TENANT, PRODUCT, NAME, fail)

    (span,) = await in_a_request(spans, get)
    assert not span.status.is_ok
    assert attributes(span)["error.type"] == "LookupError"
    assert VALUE not in span.to_json()


async def test_where_nobody_follows_the_cache_makes_no_spans(spans: Spans, cache: TracedCache) -> None:
    assert await cache.get(TENANT, PRODUCT, NAME, load) == VALUE
    assert await cache.delete(TENANT, [PRODUCT.key(NAME)])
    assert spans() == []
