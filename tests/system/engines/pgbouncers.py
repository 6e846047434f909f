"""PostgreSQL behind two PgBouncers in transaction mode: the URL lists both."""

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from app.main.local.roles import Urls
from tests.pgbouncer import PgBouncer, find
from tests.system.engines.engine import DOWN_S, FROZEN_S, Engine, Place, at_hosts, new_folder
from tests.system.engines.house import Twice


class PgBouncers(Engine):
    """What falls is one of them, the first in the URL."""

    name = "pgbouncer"
    what = "PostgreSQL behind two PgBouncers in transaction mode"
    needs: ClassVar = {"pgbouncer": find}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._poolers: list[PgBouncer] = []

    def start(self) -> Place:
        """See `Engine.start`."""
        place = super().start()
        for nth in range(2):
            pooler = PgBouncer(new_folder(self.folder / f"pgbouncer-{nth}"), *place.database, sessions=20)
            self._poolers.append(pooler)
            pooler.start()
        ports = [pooler.port for pooler in self._poolers]
        return place._replace(database=Urls(*(at_hosts(url, ports) for url in place.database)))

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            "one of the two is killed": self._kill,
            f"one of the two stands still for {FROZEN_S:g} s": self._freeze,
            "a rolling restart of both": self._restart,
        }

    def stop(self) -> None:
        """See `Engine.stop`."""
        for pooler in self._poolers:
            pooler.end()
        super().stop()

    def _kill(self) -> None:
        self._poolers[0].end(signal.SIGKILL)
        time.sleep(DOWN_S)
        self._poolers[0].start()

    def _freeze(self) -> None:
        with self._poolers[0].halted():
            time.sleep(FROZEN_S)

    def _restart(self) -> None:
        for pooler in self._poolers:
            pooler.end()
            pooler.start()
