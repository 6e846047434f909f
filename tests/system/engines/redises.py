"""Redis and a replica, behind an address that leads to the one that takes writes."""

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final

import redis

from app.main.local.redis import RedisServer, find
from app.platform.process.processes import CannotStart, comes_true
from app.platform.process.secret_files import secret, write_privately
from tests.system.crash.parts import elsewhere
from tests.system.crash.proxy import Proxy
from tests.system.engines.engine import DOWN_S, FROZEN_S, Engine, Place
from tests.system.engines.house import Twice

FOLLOWS_WITHIN_S: Final = 30.0


class Redises(Engine):
    """What falls is the one that takes writes: the replica takes its place, and the address leads there."""

    name = "redis"
    what = "Redis with a replica, behind one address"
    needs: ClassVar = {"redis-server": find}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._primary, self._replica = self.servers.redis, RedisServer(folder / "redis-2")
        self._address: Proxy | None = None

    def start(self) -> Place:
        """See `Engine.start`."""
        place = super().start()
        self._replica.folder.mkdir()
        write_privately(self._replica.folder / "password", secret(self._primary.folder / "password"))
        self._replica.start()
        _follow(self._replica, self._primary)
        self._address = Proxy(self._primary.port, lambda: lambda _chunk: [])
        return place._replace(redis_url=elsewhere(place.redis_url, self._primary.port, self._address.port))

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            f"the primary is killed, and the replica takes its place {DOWN_S:g} s later": self._kill,
            f"the primary stands still for {FROZEN_S:g} s, and nobody takes its place": self._freeze,
            "a rolling restart: the replica, then a switch": self._restart,
        }

    def stop(self) -> None:
        """See `Engine.stop`."""
        if self._address is not None:
            self._address.close()
        self._replica.stop()
        self._primary.stop()
        super().stop()

    def _kill(self) -> None:
        self._primary.kill()
        time.sleep(DOWN_S)
        self._switch()

    def _freeze(self) -> None:
        assert self._primary.process is not None
        self._primary.process.send(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        self._primary.process.send(signal.SIGCONT)

    def _restart(self) -> None:
        self._replica.stop()
        self._replica.start()
        _follow(self._replica, self._primary)
        self._switch()

    def _switch(self) -> None:
        """The replica takes writes from now on, and who comes is led to it; the other follows it."""
        assert self._address is not None
        with redis.Redis.from_url(self._replica.url) as client:
            client.replicaof("NO", "ONE")
        self._address.lead_to(self._replica.port)
        self._primary.stop()
        self._primary.start()
        _follow(self._primary, self._replica)
        self._primary, self._replica = self._replica, self._primary


def _follow(replica: RedisServer, primary: RedisServer) -> None:
    with redis.Redis.from_url(replica.url) as client:
        client.config_set("masterauth", secret(primary.folder / "password"))
        client.replicaof("127.0.0.1", str(primary.port))
        if not comes_true(lambda: client.info("replication")["master_link_status"] == "up", FOLLOWS_WITHIN_S):
            raise CannotStart("the replica does not follow")
