"""What the API needs to be given."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from app.application.payments.pay import OnReserved
from app.application.payments.results import Answered, StillPending
from app.application.ports import Ids, PaymentRequest, WalletReader
from app.domain.currencies import ISO_4217


class Paying(Protocol):
    """The use case: `app.application.payments.pay.Pay`."""

    async def __call__(
        self, request: PaymentRequest, deadline: float, on_reserved: OnReserved
    ) -> Answered | StillPending:
        """Pay."""
        ...


class Following(Protocol):
    """Follows requests, each in the running context: that in which all is done for it."""

    def __call__(self, method: str, traceparent: str | None, request_id: str) -> Callable[[str | None, int], None]:
        """Begin; what is answered ends it, told the template of the route, if there is one, and the answer's status."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What stands behind the API."""

    pay: Paying
    reader: WalletReader
    ids: Ids
    readiness: Callable[[], Awaitable[Mapping[str, str]]]
    """What is not ready, by name, and why; nothing when all is."""
    registry: CollectorRegistry
    """Where the request metrics go."""
    render_metrics: Callable[[], bytes]
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """Opens what the services need, and closes it when the last request is over."""
    follow: Following | None = None


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How the API behaves. `currencies` come beside ISO 4217's."""

    api_keys: tuple[str, ...]
    currencies: tuple[str, ...] = ()
    request_timeout_s: float = 10.0
    shutdown_grace_s: float = 15.0
    expose_docs: bool = True
    expose_metrics: bool = True

    @property
    def known_currencies(self) -> frozenset[str]:
        """All currencies that are known."""
        return ISO_4217.union(self.currencies)

    @property
    def exposed(self) -> tuple[str, ...]:
        """The routes beside the wallets'."""
        docs = ("/openapi.json", "/docs") if self.expose_docs else ()
        metrics = ("/metrics",) if self.expose_metrics else ()
        return ("/healthz", "/readyz", *metrics, *docs)
