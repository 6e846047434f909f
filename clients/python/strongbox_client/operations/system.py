"""How the service is, and what it offers."""

from typing import Any, Literal

from msgspec import Struct

from strongbox_client.calls import Who
from strongbox_client.operation import Resource, W, operation


class Health(Struct, frozen=True):
    """The process is there."""

    status: Literal["ok"]


class Readiness(Struct, frozen=True):
    """It does its work: `degraded` without some of what it should have, which is named with the reason."""

    status: Literal["ok", "degraded"]
    degraded: dict[str, str] = {}


class System(Resource[W]):
    """The service itself."""

    @operation("GET", "/healthz", who=Who.NOBODY)
    def health(self) -> Health:
        """Whether the process is there."""

    @operation("GET", "/readyz", who=Who.NOBODY)
    def ready(self) -> Readiness:
        """Wait until it can do its work, up to the deadline."""

    @operation("GET", "/metrics", who=Who.NOBODY)
    def metrics(self) -> bytes:
        """Metrics for Prometheus."""

    @operation("GET", "/openapi.json", who=Who.NOBODY)
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""

    @operation("GET", "/docs", who=Who.NOBODY)
    def docs(self) -> bytes:
        """The same as a page."""

    @operation("GET", "/.well-known/jwks.json", "keys", who=Who.NOBODY)
    def keys(self) -> list[dict[str, Any]]:
        """The public keys (RFC 7517) that access tokens are verified by."""

    @operation("POST", "/internal/cache/invalidate", "deleted", repeats=True)
    def invalidate_cache(self, *, keys: list[str] | None = None, patterns: list[str] | None = None) -> int:
        """Have the cache forget keys of the tenant, or patterns with `*`; how many there were. For admins, and machines
        with `cache:invalidate`."""
