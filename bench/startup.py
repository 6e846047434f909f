"""How long each command takes to be there, beside another revision: commands to their end, processes until they serve.

The other revision's commands are run with its own environment, in turn with ours, each over a database of its own that
its own migrations made; the servers are the same.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.main.contexts import load
from app.main.local.plan import made_here
from app.main.local.probe import answers
from app.main.local.roles import Urls
from app.platform.process.processes import CannotStart, free_port
from bench.against import Comparison, Pair
from bench.servers import Servers

NAME: Final = "start-up"
TIMES: Final = 11
LIMIT_S: Final = 60.0
LOOK_EVERY_S: Final = 0.005

COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "help": ("app", "--help"),
    "migrate version": ("app", "migrate", "version"),
    "status": ("app", "status"),
    "verify": ("app", "verify"),
    "outbox status": ("app", "outbox", "status"),
    "dlq ls": ("app", "dlq", "ls"),
    "provider add": ("app", "provider", "add", "Acme", "--id", "2b1d9a34-5c6e-4f70-8a9b-1c2d3e4f5a60"),
}
"""What runs to its end. `status` may exit with 1, as nothing else runs meanwhile."""

PROCESSES: Final[Mapping[str, tuple[Sequence[str], str]]] = {
    "api": (("app", "api"), "HTTP_PORT"),
    "relay": (("app", "relay"), "RELAY_METRICS_PORT"),
    "recover": (("app", "recover"), "RECOVER_METRICS_PORT"),
    "console": (("app", "console"), "CONSOLE_PORT"),
    "metrics": (("consumers", "metrics"), "METRICS_PORT"),
    "audit": (("consumers", "audit"), "CONSUMER_METRICS_PORT"),
}
"""What serves, and the setting of the port on which it does."""

_READY: Final = {"HTTP_PORT": "/readyz", "CONSOLE_PORT": "/login"}


@dataclass(frozen=True)
class Side:
    """One of the two: how its Python is called, and where; and its processes' settings."""

    python: Path
    folder: Path
    environment: Mapping[str, str]

    def run(self, words: Sequence[str]) -> float:
        """Run the command to its end; the seconds that it took."""
        began = time.perf_counter()
        done = subprocess.run(  # noqa: S603 -- ours
            [str(self.python), "-m", *words],
            cwd=self.folder, env=dict(self.environment), capture_output=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        took = time.perf_counter() - began
        if done.returncode not in ((0, 1) if "status" in words else (0,)):
            raise CannotStart(f"{' '.join(words)} exited with {done.returncode}: {done.stderr.decode()[-1000:]}")
        return took

    def serve(self, words: Sequence[str], port: str) -> float:
        """Start the process, and end it once it serves; the seconds until it did."""
        url = f"http://127.0.0.1:{self.environment[port]}{_READY.get(port, '/metrics')}"
        began = time.perf_counter()
        with subprocess.Popen(  # noqa: S603 -- ours
            [str(self.python), "-m", *words],
            cwd=self.folder, env=dict(self.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                while not answers(url, LIMIT_S):
                    if process.poll() is not None or time.perf_counter() - began > LIMIT_S:
                        raise CannotStart(f"{' '.join(words)} did not serve {url}")
                    time.sleep(LOOK_EVERY_S)
                return time.perf_counter() - began
            finally:
                process.terminate()


def beside(
    servers: Servers, other: Path, scratch: Path, times: int, say: Callable[[str], None]
) -> dict[str, Comparison]:
    """Each command and process so many times, by turns; the ratios are those of the medians."""
    with servers.empty() as ours, servers.empty() as theirs:
        sides = (
            _side(Path(sys.executable), Path(__file__).parents[1], ours, servers, scratch / "ours"),
            _side(other / ".venv/bin/python", other, theirs, servers, scratch / "theirs"),
        )
        for side in sides:
            side.run(("app", "migrate", "up"))
        measured: dict[str, Callable[[Side], float]] = {
            name: lambda side, words=words: side.run(words) for name, words in COMMANDS.items()
        } | {
            name: lambda side, words=words, port=port: side.serve(words, port)  # type: ignore[misc]
            for name, (words, port) in PROCESSES.items()
        }
        compared = {}
        for name, measure in measured.items():
            say(name)
            compared[f"{NAME} {name}"] = _in_turn(sides, measure, times)
    return compared


def _in_turn(sides: tuple[Side, Side], measure: Callable[[Side], float], times: int) -> Comparison:
    for side in sides:
        measure(side)  # so that its files are in memory
    found: tuple[list[float], list[float]] = ([], [])
    for nth in range(times):
        for which in (0, 1) if nth % 2 == 0 else (1, 0):
            found[which].append(measure(sides[which]) * 1000)
    return Comparison.of_medians("ms", [Pair(a, b) for a, b in zip(*found, strict=True)])


def _side(python: Path, folder: Path, database: Urls, servers: Servers, scratch: Path) -> Side:
    scratch.mkdir(parents=True)
    ports = {port: str(free_port()) for _, port in PROCESSES.values()}
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(folder),
        "DATABASE_URL": database.app_url,
        "MIGRATE_DATABASE_URL": database.owner_url,
        "RABBITMQ_URL": servers.rabbitmq.url,
        "GATEWAY_URL": "http://127.0.0.1:9",
        "API_KEYS": "only-for-the-benchmark",
        "CONSOLE_KEYS": "bench:only-for-the-benchmark-of-the-console",
        **ports,
        **made_here(load({}), {"HTTP_PORT": int(ports["HTTP_PORT"])}, scratch),
    }
    return Side(python, scratch, environment)
