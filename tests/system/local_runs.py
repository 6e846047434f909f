"""Runs of `strongbox run` with stand-ins for the services, at a terminal of a test."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.main.contexts import load
from app.main.local import plan
from app.main.local.clean import clean
from app.platform.process.processes import ProcessId, comes_true, free_port
from app.platform.process.run_state import read

# A part that serves, where it has a port, and notes that it hears signals, and its end.
PART = """
import asyncio, os, signal, sys
name, port, deaf = sys.argv[1], int(sys.argv[2]), "deaf" in sys.argv
if "broken" in sys.argv: sys.exit("it is broken")
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 0\\r\\nconnection: close\\r\\n\\r\\n")
    await writer.drain()
    writer.close()
async def main():
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, (lambda: None) if deaf else stop.set)
    server = await asyncio.start_server(answer, "127.0.0.1", port) if port else None
    with open("begun", "a") as file: file.write(name + "\\n")
    await stop.wait()
    with open("ended", "a") as file: file.write(name + "\\n")
asyncio.run(main())
"""
# A run of such parts. RabbitMQ is left out, as it takes seconds; commands of the command line only say their names.
RUN = """
import asyncio, sys
from pathlib import Path
from app.main.local import rabbitmq
from app.main.local.run import run
from app.main.local.supervisor import Part
from app.main.contexts import load
rabbitmq.installed = lambda: None
def parts(settings, at, in_process, tool):
    assert in_process
    gateway = Part("gateway", ("part.py", "gateway", str(at.get("MOCK_GATEWAY_PORT"))), f"http://127.0.0.1:{at.get('MOCK_GATEWAY_PORT')}/health")
    api = Part("api", ("part.py", "api", str(at["HTTP_PORT"]), *sys.argv[1:]), f"http://127.0.0.1:{at['HTTP_PORT']}/readyz")
    return [(gateway,), (Part("relay", ("part.py", "relay", "0")),), (api,)]
sys.exit(asyncio.run(run(load(), Path(".strongbox"), parts, ("tool.py",))))
"""

LIMIT_S = 300.0
"""What tells soon from never, where a start that takes seconds takes a minute."""


class Terminal:
    """Runs in one folder, as from a shell, on ports that no other run takes meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / ".strongbox"
        self.runs: list[subprocess.Popen[str]] = []
        for name, text in {"part.py": PART, "run.py": RUN, "tool.py": "print('done')"}.items():
            (folder / name).write_text(text)

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        inherited |= {"PYTHONPATH": str(Path(__file__).parents[2])}
        ports = {name: str(free_port()) for name in plan.defaults(load({}))}
        with (self.folder / "output").open("a") as output:
            run = subprocess.Popen(
                [sys.executable, "run.py", *words], cwd=self.folder, stdout=output, stderr=output, text=True,
                env=inherited | ports | {"API_KEYS": "given"} | environment, start_new_session=True,
            )  # fmt: skip
        self.runs.append(run)
        return run

    def serves(self) -> bool:
        return "Ctrl-C ends it" in self.output()

    def begun(self) -> set[str]:
        """The parts that hear signals: one without a port is not waited for by its run, and may still be starting."""
        noted = self.folder / "begun"
        return set(noted.read_text().split()) if noted.exists() else set()

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def processes(self) -> dict[str, ProcessId]:
        state = read(self.base)
        return state.processes if state else {}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A folder to run in; nothing of it is left afterwards."""
    terminal = Terminal(tmp_path)
    yield terminal
    for run in terminal.runs:
        if run.poll() is None:
            run.kill()
        run.wait()
    clean(terminal.base)


def soon(condition: Callable[[], bool]) -> None:
    assert comes_true(condition, LIMIT_S)
