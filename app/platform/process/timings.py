"""What the repositories' calls take, at LOG_LEVEL=debug."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_log = structlog.get_logger(__name__)


@contextmanager
def timed(repository: str, operation: str, **about: object) -> Iterator[None]:
    """Log how long the call took."""
    began = time.perf_counter()
    try:
        yield
    finally:
        latency_ms = round((time.perf_counter() - began) * 1e3, 2)
        _log.debug("repository_call", repository=repository, operation=operation, **about, latency_ms=latency_ms)
