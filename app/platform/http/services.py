"""What the API needs to be given, beside its operations."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from app.kernel.currencies import ISO_4217
from app.platform.http.inflight import InFlight
from app.platform.http.visitor import ForwardedHeader
from app.platform.limits.ports import Limits
from app.platform.people import People


class Following(Protocol):
    """Follows requests, each in the running context: that in which all is done for it."""

    def __call__(self, method: str, traceparent: str | None, request_id: str) -> Callable[[str | None, int], None]:
        """Begin; what is answered ends it, told the template of the route, if there is one, and the answer's status."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What stands behind the API."""

    in_flight: InFlight
    """The work of its requests, which the end of the process waits for."""
    readiness: Callable[[], Awaitable[Mapping[str, str]]]
    """What is not ready, by name, and why; nothing when all is."""
    registry: CollectorRegistry
    """Where the request metrics go."""
    render_metrics: Callable[[], bytes]
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """Opens what the services need, and closes it when the last request is over."""
    follow: Following | None = None
    people: People | None = None
    """Who knows people; without one nothing is served that asks who somebody is."""
    degraded: Callable[[], Mapping[str, str]] = dict
    """What is done without for now, by name, and why; nothing when all is there."""
    limits: Limits | None = None
    """Who counts how often somebody asks; without one nobody does."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How the API behaves. `currencies` come beside ISO 4217's."""

    api_keys: tuple[str, ...]
    currencies: tuple[str, ...] = ()
    expose_docs: bool = True
    expose_metrics: bool = True
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    forwarded_header: ForwardedHeader = "x-forwarded-for"
    log_hash_key: str = ""

    @property
    def known_currencies(self) -> frozenset[str]:
        """All currencies that are known."""
        return ISO_4217.union(self.currencies)
