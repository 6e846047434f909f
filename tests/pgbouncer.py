"""A private PgBouncer in transaction mode. It refuses the start parameter `options`, as is its default."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.platform.process.processes import free_port

START_LIMIT_S = 60.0

_CONFIGURATION = """
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
max_client_conn = 200
default_pool_size = {sessions}
"""


@contextmanager
def pgbouncer(folder: Path, *urls: str, sessions: int = 8) -> Iterator[list[str]]:
    """The same databases through a pooler with so many sessions for each of them and each role."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    if not Path(program).exists():
        pytest.fail("these tests need PgBouncer: install it (Debian: apt-get install pgbouncer)")
    given = [conninfo_to_dict(url) for url in urls]
    port = free_port()
    known = {f'"{one["user"]}" "{one["password"]}"\n' for one in given}
    (folder / "users").write_text("".join(sorted(known)))
    (folder / "pgbouncer.ini").write_text(
        _CONFIGURATION.format(**given[0] | {"own_port": port, "folder": folder, "sessions": sessions})
    )
    through = [make_conninfo(url, host="127.0.0.1", port=port) for url in urls]
    with (folder / "pgbouncer.log").open("ab") as log:
        command = [program, str(folder / "pgbouncer.ini"), *(("-u", "nobody") if os.geteuid() == 0 else ())]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
    try:
        _wait_for(through[0], process, folder)
        yield through
    finally:
        process.terminate()
        process.wait(START_LIMIT_S)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
    pytest.fail(f"PgBouncer is not there: {(folder / 'pgbouncer.log').read_text()}")
