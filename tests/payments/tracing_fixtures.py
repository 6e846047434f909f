"""A tracer for a test, and a log context that it leaves as it was."""

from collections.abc import Iterator

import pytest
import structlog

from tests.fakes.spans import Spans, recorded

NEVER = float("inf")


@pytest.fixture
def spans() -> Spans:
    return recorded()


@pytest.fixture(autouse=True)
def clean_log_context() -> Iterator[None]:
    yield
    structlog.contextvars.clear_contextvars()
