"""A pair of PostgreSQL with a synchronous standby: the URL lists both, whoever looks after them switches."""

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from app.main.local.postgres import PostgresServer
from app.main.local.roles import Urls
from tests.system.crash.mishaps import hanging, send
from tests.system.engines.engine import DOWN_S, FROZEN_S, Engine, Place, at_hosts
from tests.system.engines.house import Twice
from tests.system.engines.standbys import follow, follow_on, promote, wait_for

NOTICED_S: Final = 3.0
"""After which a primary that stands still is taken for dead, and ended before another takes its place."""


class Pair(Engine):
    """What falls is the primary, and once the standby."""

    name = "pair"
    what = "A pair of PostgreSQL, the standby synchronous"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._primary = self.servers.postgres
        self._standby = PostgresServer(folder / "postgres-2", settings=self._primary.settings)

    def start(self) -> Place:
        """See `Engine.start`."""
        place = super().start()
        follow(self._standby, self._primary)
        ports = [self._primary.port, self._standby.port]
        return place._replace(database=Urls(*(at_hosts(url, ports) for url in place.database)))

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            f"the primary is killed, and the standby promoted {DOWN_S:g} s later": self._kill,
            f"the primary stands still, and is ended and the standby promoted {NOTICED_S:g} s later": self._freeze,
            f"the standby stands still for {FROZEN_S:g} s": self._freeze_the_standby,
            "a rolling restart: the standby, then a switch": self._restart,
        }

    def stop(self) -> None:
        """See `Engine.stop`."""
        self._standby.stop()
        self._primary.stop()
        super().stop()

    def _kill(self) -> None:
        self._primary.kill()
        time.sleep(DOWN_S)
        self._primary.stop()
        self._switch()

    def _freeze(self) -> None:
        with hanging(self._primary) as pids:
            time.sleep(NOTICED_S)
            send(pids, signal.SIGKILL)
        self._primary.stop()
        self._switch()

    def _switch(self) -> None:
        promote(self._standby)
        follow(self._primary, self._standby)
        self._primary, self._standby = self._standby, self._primary

    def _freeze_the_standby(self) -> None:
        with hanging(self._standby):
            time.sleep(FROZEN_S)

    def _restart(self) -> None:
        self._standby.stop()
        self._standby.start()
        wait_for(self._primary, "*")
        self._primary.stop()
        promote(self._standby)
        follow_on(self._primary, self._standby)
        self._primary, self._standby = self._standby, self._primary
