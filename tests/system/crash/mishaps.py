"""What befalls servers: a disk that fills up, and whom to look for when one hangs."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.main.local.postgres import PostgresServer
from app.platform.process.processes import ProcessId
from tests.system.crash.fragile import Fragile

FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    os.environ.get("LIBFAKETIME", ""),
)


@pytest.fixture
def tiny_disk(house: Fragile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tables of the house on a disk of their own, with little room left."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path_factory.mktemp("disk")
    name = house.database.app_url.rpartition("/")[2]
    ((used,),) = house.query("SELECT pg_database_size(current_database())")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={used + 32 * 2**20}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system")
    tables = folder / "tables"
    tables.mkdir()
    owner = house.server.data.stat()
    os.chown(tables, owner.st_uid, owner.st_gid)
    for parent in list(folder.parents)[:-2]:
        if parent.stat().st_mode & 0o005 != 0o005 and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
    try:
        _move(house, name, f"CREATE TABLESPACE tiny LOCATION '{tables}'", f"ALTER DATABASE {name} SET TABLESPACE tiny")
        yield folder
        (folder / "filler").unlink(missing_ok=True)
        _move(house, name, f"ALTER DATABASE {name} SET TABLESPACE pg_default", "DROP TABLESPACE tiny")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def hanging(server: PostgresServer) -> Iterator[list[int]]:
    """The server is stopped in its tracks, and goes on afterwards; its processes, the first of them first."""
    assert isinstance(server.process, ProcessId)
    postmaster = server.process.pid
    os.kill(postmaster, signal.SIGSTOP)  # first of all: from here on it has no other children
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    pids = [postmaster, *map(int, children)]
    send(pids, signal.SIGSTOP)
    try:
        yield pids
    finally:
        send(pids, signal.SIGCONT)


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Signal them all."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # whoever has ended meanwhile
            os.kill(pid, number)


def _move(house: Fragile, name: str, *statements: str) -> None:
    """Run statements that nobody may be connected to the database for."""
    names = [part for part in house.processes if part != "gateway"]
    for part in names:
        house.stop(part)
    with psycopg.connect(house.server.url(), autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
        for statement in statements:
            session.execute(statement)
    for part in names:
        house.begin(part)


def waiting_requests(port: int) -> int:
    """On how many connections to a listener something has come that it has not read."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Of a connection (state 01) the receive queue counts bytes.
    return sum(row[3] == "01" and row[1].endswith(f":{port:04X}") and row[4][-8:] != "00000000" for row in rows)
