"""Two processes of an API, neither of which knows the other, behind a balancer: the first that is there gets all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict

from app.kernel.principal import TenantId
from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from app.platform.process.processes import free_port
from tests.auctions.hammer import Hammer
from tests.auctions.switch import Switch, switch
from tests.system.e2e.house import House

CONTEXTS = "identity,funds,payments,catalog,ordering,auctions"
FIRST, SECOND = "one", "other"


@dataclass
class TwoApis:
    """The processes, what is before them, and who writes their auctions."""

    house: House
    balancer: Switch
    hammer: Hammer

    @property
    def url(self) -> str:
        """Where clients find them."""
        return f"http://127.0.0.1:{self.balancer.port}"


@contextmanager
def two_apis(urls: Urls, server: PostgresServer, folder: Path, **settings: str) -> Iterator[TwoApis]:
    """They end with the block, as far as they are still there."""
    house = House(urls, "", folder, CONTEXTS=CONTEXTS, **settings)
    ports = [house.ports["HTTP_PORT"], free_port()]
    try:
        for name, port in zip((FIRST, SECOND), ports, strict=True):
            house.environment["HTTP_PORT"] = str(port)
            house.start(name, "app", "api", expect=partial(_serves, port))
        ((tenant,),) = house.query("SELECT id FROM identity.tenants WHERE name = 'default'")
        database = conninfo_to_dict(urls.app_url)["dbname"]
        assert isinstance(database, str)
        with switch(*ports) as balancer:
            yield TwoApis(house, balancer, Hammer(server.url(database), TenantId(tenant)))
    finally:
        for process in house.processes.values():
            process.kill()
            process.wait()


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.HTTPError:
        return False
