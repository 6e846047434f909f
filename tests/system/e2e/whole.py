"""A house of which every part runs: it gives cashback, too, and mints it on a chain of its own."""

from functools import partial
from pathlib import Path

import httpx

from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.mint.mint_house import MintHouse
from tests.system.e2e.house import wait_until

PARTS = 24
"""As many as `strongbox status` looks at in it."""


class WholeHouse(MintHouse):
    """The processes, over a database and a broker that are there."""

    def __init__(self, database: Urls, rabbitmq_url: str, folder: Path, **settings: str) -> None:
        ports = {f"{name}_METRICS_PORT": str(free_port()) for name in ("REWARDS", "CHAIN", "WEBHOOKS")}
        super().__init__(database, rabbitmq_url, folder, **ports, **settings)

    def start_all(self) -> None:
        self.start_node()
        self.start_chain()
        self.start_mint()
        self.start("rewards", "consumers", "rewards")
        self.start("webhooks", "app", "webhooks")
        super().start_all()
        for name in ("rewards", "mint", "webhooks", "chain"):
            wait_until(partial(self.shows, name), f"the metrics of {name}")

    def shows(self, name: str) -> bool:
        """Whether the process shows its metrics."""
        port = self.environment[f"{name.upper()}_METRICS_PORT"]
        try:
            return httpx.get(f"http://127.0.0.1:{port}/metrics").is_success or self._alive(name)
        except httpx.TransportError:
            return self._alive(name)

    def stop_all(self) -> dict[str, int]:
        codes = {name: self.stop(name) for name in ("webhooks", "mint", "rewards", "chain", "node")}
        return codes | super().stop_all()
