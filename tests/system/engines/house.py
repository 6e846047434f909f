"""Every process of Strongbox twice."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.system.crash.parts import Parted
from tests.system.e2e.house import _ok, wait_until
from tests.system.soak.fleet import SETTINGS

GATEWAY: Final = "gateway"


class Twice(Parted):
    """The processes, each a second time, but for the gateway, which stands for the world.

    Those of the chain are left out: they have one database, one broker and one node, as the others have.
    """

    parts: ClassVar = {
        GATEWAY: ("mock_gateway",),
        "metrics": ("consumers", "metrics"),
        "audit": ("consumers", "audit"),
        "rewards": ("consumers", "rewards"),
        "webhooks": ("app", "webhooks"),
        "relay": ("app", "relay"),
        "recover": ("app", "recover"),
        "api": ("app", "api"),
    }

    def __init__(self, database: Urls, rabbitmq_url: str, redis_url: str, folder: Path) -> None:
        super().__init__(database, rabbitmq_url, folder, **SETTINGS, REDIS_URL=redis_url)
        self.own = {}
        self._second = {name: str(free_port()) for name in ("HTTP_PORT", "METRICS_PORT")}
        self.apis = [self.api_url, f"http://127.0.0.1:{self._second['HTTP_PORT']}"]
        self.twice = [name for name in self.parts if name != GATEWAY]
        """The names of those that there are two of; the second one of each is called so with a 2 behind it."""

    def begin(self, name: str, **own: str) -> None:
        """See `Parted.begin`."""
        super().begin(name, **self._ports(name) | own)

    def begin_all(self) -> None:
        """Start everything, side by side, and put a provider there."""
        for name in (GATEWAY, *self.names):
            self.start(name, *self.parts[name.rstrip("2")], expect=None, **self._ports(name))
        for name in (GATEWAY, *self.names):
            serves = self.ready(name) or partial(self._has_started, name)
            wait_until(lambda name=name, serves=serves: serves() or self._alive(name), f"{name} to be ready")  # type: ignore[misc]
        self.command("provider", "add", "Acme", "--id", str(self.provider_id))

    @property
    def names(self) -> list[str]:
        """All processes of Strongbox, those first that an event comes to last."""
        return [f"{name}{number}" for name in self.twice for number in ("", "2")]

    def ready(self, name: str) -> Callable[[], bool] | None:
        """See `Parted.ready`."""
        url = {
            GATEWAY: f"{self.gateway_url}/health",
            "api": f"{self.apis[0]}/readyz",
            "api2": f"{self.apis[1]}/readyz",
        }.get(name)
        return partial(_ok, url) if url else None

    def stop_all(self) -> dict[str, int]:
        """End everything in good order; the exit codes."""
        return {name: self.stop(name) for name in (*reversed(self.names), GATEWAY) if name in self.processes}

    def kill_all(self) -> None:
        """End at once whatever is left."""
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()

    def _has_started(self, name: str) -> bool:
        return self._starts(name) > 0

    def _ports(self, name: str) -> dict[str, str]:
        return self._second if name.endswith("2") else {}
