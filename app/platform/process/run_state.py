"""The folder of a run (`.strongbox/`): its lock, and `run.json`, by which other commands find what it serves."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from app.platform.process.processes import CannotStart, ProcessId
from app.platform.process.secret_files import write_privately


class RunState(msgspec.Struct):
    """What runs here: the settings to reach it with, the pages to look at, and its processes."""

    supervisor: ProcessId
    settings: dict[str, str]
    urls: dict[str, str]
    processes: dict[str, ProcessId]

    def write(self, base: Path) -> None:
        text = msgspec.json.format(msgspec.json.encode(self)).decode()
        write_privately(base / "run.json", text + "\n")


def read(base: Path) -> RunState | None:
    """What the last run here wrote, alive or not; None after an orderly end."""
    try:
        return msgspec.json.decode((base / "run.json").read_bytes(), type=RunState)
    except (FileNotFoundError, PermissionError, msgspec.DecodeError):
        return None


def _alive(base: Path) -> RunState | None:
    state = read(base)
    return state if state is not None and state.supervisor.alive else None


def discovered(base: Path) -> dict[str, str]:
    """The settings of the run that is alive in this folder, as an environment; empty when there is none.

    BROKER is "in-process" or "rabbitmq": with the first there is no RABBITMQ_URL.
    """
    state = _alive(base)
    return dict(state.settings) if state else {}


def urls(base: Path) -> dict[str, str]:
    """Where the run that is alive in this folder serves `api`, `metrics` and `gateway`; empty when there is none."""
    state = _alive(base)
    return dict(state.urls) if state else {}


@contextlib.contextmanager
def only_run(base: Path) -> Iterator[None]:
    """Hold the folder: a second run in it is refused. The lock goes with the process, however that ends.

    Raises:
        CannotStart: another run holds it.
    """
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = _alive(base)
            who = f" (process {state.supervisor.pid})" if state else ""
            raise CannotStart(f"another `strongbox run` is alive in {base.parent.absolute()}{who}") from None
        yield


def end_leftovers(base: Path, grace_s: float) -> list[str]:
    """End the processes that a killed run left behind here, and name them. Servers are adopted, not ended."""
    state = read(base)
    left = {name: process for name, process in (state.processes if state else {}).items() if process.alive}
    for process in left.values():
        process.send(signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    for process in left.values():
        if not process.ends_within(max(0.0, deadline - time.monotonic())):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # each leads a group of its own
            process.ends_within(5)
    return sorted(left)
