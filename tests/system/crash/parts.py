"""A house whose parts have settings of their own, and may be killed and begun again one by one."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

from tests import forks
from tests.system.e2e.house import House


class Parted(House):
    """Each of its processes is one of `parts`, or a second one of its kind: `relay2`."""

    parts: ClassVar[Mapping[str, Sequence[str]]]
    """`python -m …`, by the names of the processes."""
    own: dict[str, dict[str, str]]
    """What their settings are besides those that all have."""

    def start(self, name: str, *words: str, expect: Callable[[], bool] | None = None, **own: str) -> forks.Process:
        """Start a process with settings of its own."""
        plain = self.environment
        self.environment = plain | self.own.get(name.rstrip("2"), {}) | own
        try:
            return super().start(name, *words, expect=expect)
        finally:
            self.environment = plain

    def begin(self, name: str, **own: str) -> None:
        """Start one of the parts, and wait until it serves."""
        starts = self._starts(name)
        expect = self.ready(name) or (lambda: self._starts(name) > starts)
        self.start(name, *self.parts[name.rstrip("2")], expect=expect, **own)

    def ready(self, name: str) -> Callable[[], bool] | None:
        """What says that the part serves, where that is something else than that its work has begun."""
        return None

    def kill(self, name: str) -> None:
        """kill -9."""
        self.stop(name, signal.SIGKILL)

    @contextlib.contextmanager
    def paused(self, *names: str) -> Iterator[None]:
        """The processes are stopped in their tracks, and wake up afterwards."""
        for name in names:
            self.processes[name].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.processes[name].send_signal(signal.SIGCONT)

    def begin_what_ended(self) -> None:
        """Have every part run, and none of them twice."""
        for name, process in list(self.processes.items()):
            if name.endswith("2"):
                self.kill(name)
            elif process.poll() is not None:
                del self.processes[name]
        for name in self.parts:
            if name not in self.processes:
                self.begin(name)

    def _starts(self, name: str) -> int:
        """How often a process of that name has begun its work, and would end in good order when told to."""
        return self.log(name).count('"event":"started"') if (self.folder / f"{name}.log").exists() else 0


def elsewhere(url: str, port: int, other_port: int) -> str:
    """The URL with another port."""
    return url.replace(f":{port}/", f":{other_port}/")
