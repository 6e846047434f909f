"""Two of every process of Strongbox, on one server each."""

import time
from collections.abc import Callable, Mapping

from tests.system.engines.engine import DOWN_S, FROZEN_S, Engine
from tests.system.engines.house import Twice


class Processes(Engine):
    """What falls is one of each."""

    name = "processes"
    what = "Two of every process of Strongbox"

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            "one of each is killed": lambda: self._kill(house),
            f"one of each stands still for {FROZEN_S:g} s": lambda: self._freeze(house),
            "a rolling restart": lambda: self._restart(house),
        }

    def _kill(self, house: Twice) -> None:
        for name in house.twice:
            house.kill(name)
        time.sleep(DOWN_S)
        for name in house.twice:
            house.begin(name)

    def _freeze(self, house: Twice) -> None:
        with house.paused(*house.twice):
            time.sleep(FROZEN_S)

    def _restart(self, house: Twice) -> None:
        for name in house.names:
            code = house.stop(name)
            assert code == 0, f"{name} ended with exit code {code} on SIGTERM"
            house.begin(name)
