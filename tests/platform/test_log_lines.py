"""Lines to a descriptor that may have no reader, and what a process says where its log goes."""

import fcntl
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.platform.process import line_writer as lines
from app.platform.process.line_writer import LineWriter
from tests.pace import slow

LINE = b"x" * 99 + b"\n"


def tell_lost(lost: int) -> bytes:
    return b"lost %d\n" % lost


class Pipe:
    """A pipe of which one page has room."""

    def __init__(self) -> None:
        self.reader, self.end = os.pipe()
        fcntl.fcntl(self.end, fcntl.F_SETPIPE_SZ, 4096)

    def read(self, size: int) -> bytes:
        """So many bytes, as soon as they are there."""
        found = b""
        while len(found) < size:
            found += os.read(self.reader, size - len(found))
        return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for descriptor in (pipe.reader, pipe.end):
        with suppress(OSError):
            os.close(descriptor)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is waited for until it has a core; and it does not wake before a test has put all its lines."""
    monkeypatch.setattr(lines, "END_WITHIN_S", 60.0)
    monkeypatch.setattr(lines, "GATHER_S", 1.0)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_lines_come_in_their_order_and_the_last_ones_at_the_end(tmp_path: Path) -> None:
    wanted = [b"%d\n" % nth for nth in range(5_000)]
    with (tmp_path / "log").open("wb") as log:
        writer = LineWriter(log.fileno(), tell_lost)
        for line in wanted:
            writer.put(line)
        writer.close()
    assert (tmp_path / "log").read_bytes() == b"".join(wanted)
    assert writer.lost == 0


def test_a_reader_that_is_stuck_costs_lines_and_nobody_waits(pipe: Pipe) -> None:
    writer = LineWriter(pipe.end, tell_lost, room_bytes=10_000)
    began = time.monotonic()
    for _ in range(1_000):
        writer.put(LINE)
    assert time.monotonic() - began < slow(1)
    assert writer.lost == 900
    # And when it reads again, it has what there was room for, and how much is missing.
    assert pipe.read(100 * len(LINE)) == 100 * LINE
    assert pipe.read(9) == b"lost 900\n"
    writer.put(LINE)
    assert pipe.read(len(LINE)) == LINE
    writer.close()


def test_the_end_waits_for_a_stuck_reader_but_not_for_long(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "END_WITHIN_S", 0.2)
    writer = LineWriter(pipe.end, tell_lost)
    for _ in range(1_000):
        writer.put(LINE)
    began = time.monotonic()
    writer.close()
    assert 0.2 <= time.monotonic() - began < slow(1)


def test_a_reader_that_has_gone_costs_lines_alone(pipe: Pipe) -> None:
    os.close(pipe.reader)
    writer = LineWriter(pipe.end, tell_lost)
    for _ in range(5):
        writer.put(LINE)
    eventually(lambda: writer.lost == 5)
    writer.close()


def test_a_disk_with_room_again_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came of a line before the disk was full stays; what comes behind it begins a line."""
    disk, room = bytearray(), [150]

    def write(_: int, data: bytes) -> int:
        written = data[: room[0]]
        if not written:
            raise OSError
        room[0] -= len(written)
        disk.extend(written)
        return len(written)

    monkeypatch.setattr(os, "write", write)
    writer = LineWriter(-1, tell_lost)
    for _ in range(3):
        writer.put(LINE)
    eventually(lambda: writer.lost == 2)
    room[0] = 10_000
    writer.put(b"again\n")
    writer.close()
    assert bytes(disk) == LINE + LINE[:50] + b"\nagain\nlost 2\n"


def test_a_pipe_that_others_write_to_gets_whole_lines_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe takes a page as one, and more in pieces, between which other processes write."""
    written: list[bytes] = []

    def take(_: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", take)
    writer = LineWriter(-1, tell_lost)
    for _ in range(100):
        writer.put(LINE)
    writer.put(b"y" * 5_000 + b"\n")
    writer.put(LINE)
    writer.close()
    assert {data[-1:] for data in written} == {b"\n"}
    assert {len(data) for data in written if len(data) > 4_096} == {5_001}
    assert len(written) < 10


def test_a_descriptor_that_does_not_wait_is_waited_for(pipe: Pipe) -> None:
    """Another process that has it, too, may have made it so: then a full pipe is an error in place of a wait."""
    os.set_blocking(pipe.end, False)
    writer = LineWriter(pipe.end, tell_lost)
    for _ in range(1_000):
        writer.put(LINE)
    assert pipe.read(1_000 * len(LINE)) == 1_000 * LINE
    writer.close()
    assert writer.lost == 0


def test_what_the_collector_takes_away_may_say_something_meanwhile(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        writer = LineWriter(log.fileno(), tell_lost)

        class Talkative:
            def __del__(self) -> None:
                writer.put(b"gone\n")

        with writer._lock:
            Talkative()
            gc.collect()
        writer.close()
    assert (tmp_path / "log").read_bytes() == b"gone\n"


def run(script: str, stderr: int, form: str = "json") -> int:
    """The exit code of a process that logs, and does what the script says."""
    configured = f"from app.platform.process import logging\nlogging.configure('info', '{form}', 'test')\n"
    return subprocess.run(
        [sys.executable, "-c", configured + script], stderr=stderr, timeout=300, check=False
    ).returncode


def said(tmp_path: Path, script: str, form: str = "json") -> str:
    """What it says."""
    with (tmp_path / "said").open("wb") as log:
        run(script, log.fileno(), form)
    return (tmp_path / "said").read_text()


@pytest.mark.parametrize(
    "script", ["raise KeyError", "import sys; print('x', file=sys.stderr)", "import click; click.echo('x', err=True)"]
)
def test_a_stuck_reader_keeps_no_process_from_its_end(pipe: Pipe, script: str) -> None:
    os.write(pipe.end, b"\n" * 4_096)
    assert run(script, pipe.end) == int("KeyError" in script)


def test_all_that_a_process_says_is_in_its_order(tmp_path: Path) -> None:
    script = """
import logging, sys, structlog
structlog.get_logger().info("first", n=1)
print("second", file=sys.stderr)
logging.getLogger("a.library").warning("third %s", "thing")
try:
    raise ValueError("why")
except ValueError:
    logging.getLogger("a.library").exception("fourth")
raise KeyError("fifth")
"""
    first, second, third, fourth, *rest = said(tmp_path, script).splitlines()
    assert json.loads(first).items() >= {"event": "first", "n": 1, "level": "info", "process": "test"}.items()
    assert second == "second"
    assert json.loads(third).items() >= {"event": "third thing", "level": "warning", "process": "test"}.items()
    assert json.loads(fourth)["exception"].endswith("ValueError: why")
    assert rest[-1] == "KeyError: 'fifth'"


def test_a_line_is_made_of_whatever_is_logged(tmp_path: Path) -> None:
    """Half a character has no UTF-8; an object has its text."""
    script = r"""
import structlog
log = structlog.get_logger()
log.info("one", path="a\udcff", amount=2**70)
log.info("two", path=__import__("pathlib").Path("/x"))
log.error("three", exc_info=True)
"""
    one, two, three = map(json.loads, said(tmp_path, script).splitlines())
    assert "udcff" in one["path"]
    assert two["path"] == "/x"
    assert three["event"] == "three"
    assert "udcff" in said(tmp_path, script, "console").splitlines()[0]


def test_a_closed_standard_error_is_no_descriptor_to_write_to(tmp_path: Path) -> None:
    """Its number is the next file's: a connection to the database, for one."""
    script = f"""
import os, structlog
other = os.open({str(tmp_path / "other")!r}, os.O_CREAT | os.O_WRONLY)
structlog.get_logger().warning("said to nobody")
os.write(other, str(other).encode())
"""
    configured = "from app.platform.process import logging\nlogging.configure('info', 'json', 'test')\n"
    command = [sys.executable, "-c", configured + script]
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], check=False, timeout=300)
    assert done.returncode == 0
    assert "said" not in (tmp_path / "other").read_text()
