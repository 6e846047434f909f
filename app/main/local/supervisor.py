"""Keeps processes running: starts them, starts them again when they die, and ends them in order."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.platform.process.processes import CannotStart, ProcessId, last_lines

LEASH = Path(__file__).parents[2] / "platform/process/leash.py"
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
SETTLED_AFTER_S = 30.0
LARGEST_LOG = 64 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """A process to keep running. The command is Python's: a module (`-m`) or a file, and arguments."""

    name: str
    command: tuple[str, ...]
    # Answers 200 once the process serves; a part without one serves as soon as it runs.
    ready_url: str | None = None


@dataclass
class _Child:
    part: Part
    process: asyncio.subprocess.Process | None = None
    deaths: int = 0
    keeper: asyncio.Task[None] | None = None


@dataclass
class Supervisor:
    """Runs parts with one environment, each with a log of its own, and tells what happens to them."""

    logs: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    changed: Callable[[], None] = lambda: None
    _children: dict[str, _Child] = field(default_factory=dict)

    @property
    def processes(self) -> dict[str, ProcessId]:
        """The processes that run now, by name."""
        return {
            name: ProcessId.of(child.process.pid)
            for name, child in self._children.items()
            if child.process is not None and child.process.returncode is None
        }

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def start(self, part: Part) -> None:
        """Keep this part running until it is stopped."""
        self.logs.mkdir(parents=True, exist_ok=True)
        child = self._children[part.name] = _Child(part)
        child.keeper = asyncio.create_task(self._keep(child))

    def fail_on_deaths(self) -> None:
        """Raise CannotStart when a part has died since it was started: then something is wrong with it."""
        for name, child in self._children.items():
            if child.deaths:
                raise CannotStart(f"{name} ended while it was starting:\n{last_lines(self.log_of(name))}")

    async def stop(self, name: str, limit_s: float) -> None:
        """End a part: SIGTERM, and SIGKILL for it and all its own when it takes longer than the limit."""
        child = self._children.get(name)
        if child is None or child.keeper is None:
            return
        process = child.process
        child.keeper.cancel()  # it must not start it again
        with contextlib.suppress(asyncio.CancelledError):
            await child.keeper
        if process is not None and process.returncode is None:
            _send(process, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), limit_s)
            except TimeoutError:
                self.say(f"{name} did not end within {limit_s:.0f} s and was killed")
                _send_to_group(process, signal.SIGKILL)
                await process.wait()
        del self._children[name]

    def kill(self) -> None:
        """End all of them at once."""
        for child in self._children.values():
            if child.keeper is not None:
                child.keeper.cancel()
            if child.process is not None and child.process.returncode is None:
                _send_to_group(child.process, signal.SIGKILL)

    def trim_logs(self) -> None:
        """Move what a log has grown beyond its limit to `NAME.log.1`, in place of what was there."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LARGEST_LOG:
                with contextlib.suppress(OSError):  # no room on the disk: the newest lines are worth more
                    shutil.copyfile(log, log.with_name(log.name + ".1"))
                os.truncate(log, 0)  # its writers append

    async def _keep(self, child: _Child) -> None:
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        while True:
            began = loop.time()
            try:
                how = await self._live(child)
            except OSError as error:  # no memory, no room on the disk
                how = f"could not be started ({error})"
            child.deaths += 1
            if loop.time() - began > SETTLED_AFTER_S:
                pause_s = FIRST_PAUSE_S
            log = self.log_of(child.part.name)
            self.say(f"{child.part.name} {how}; it is started again in {pause_s:g} s (its log: {log})")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _live(self, child: _Child) -> str:
        """Start it, and say how it ended."""
        child.process = await self._spawn(child.part)
        with contextlib.suppress(OSError):  # no room on the disk: it serves all the same
            self.changed()
        code = await child.process.wait()
        # What it started in its own group must not stay beside its successor.
        _send_to_group(child.process, signal.SIGKILL)
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    async def _spawn(self, part: Part) -> asyncio.subprocess.Process:
        # A session of its own keeps a terminal's Ctrl-C away: the supervisor alone decides the order of the end.
        with self.log_of(part.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), sys.executable, *part.command,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(self.environment), start_new_session=True,
            )  # fmt: skip


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _send_to_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


async def stop_all(supervisor: Supervisor, stages: Iterable[tuple[str, ...]], grace_s: float) -> None:
    """End stage after stage. The first may use the whole grace; later ones what is left of it, or a little."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace_s + 1  # a process that answers at the end of its own grace gets to
    for stage in stages:
        limit_s = max(deadline - loop.time(), 2.0)
        await asyncio.gather(*(supervisor.stop(name, limit_s) for name in stage))
