"""A private PgBouncer in transaction mode. It refuses the start parameter `options`, as is its default."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.platform.process.processes import CannotStart, free_port

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


class PgBouncer:
    """One of them, before the databases of these URLs, with so many sessions for each of them and each role."""

    def __init__(self, folder: Path, *urls: str, sessions: int = 8) -> None:
        self.port = free_port()
        self.through = [make_conninfo(url, host="127.0.0.1", port=self.port) for url in urls]
        """The same URLs, through it."""
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        given = [conninfo_to_dict(url) for url in urls]
        known = {f'"{one["user"]}" "{one["password"]}"\n' for one in given}
        (folder / "users").write_text("".join(sorted(known)))
        (folder / "pgbouncer.ini").write_text(
            _CONFIGURATION.format(**given[0] | {"own_port": self.port, "folder": folder, "sessions": sessions})
        )

    def start(self) -> None:
        """Serve, where it served before."""
        program = find()
        if program is None:
            raise CannotStart("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
        with (self._folder / "pgbouncer.log").open("ab") as log:
            command = [program, str(self._folder / "pgbouncer.ini"), *(("-u", "nobody") if os.geteuid() == 0 else ())]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        self._wait_for(self.process)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it: by SIGTERM at once."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(START_LIMIT_S)

    @contextmanager
    def halted(self) -> Iterator[None]:
        """It is stopped in its tracks, and goes on afterwards."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _wait_for(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                return psycopg.connect(self.through[0], connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise CannotStart(f"PgBouncer does not serve: {(self._folder / 'pgbouncer.log').read_text()}")


def find() -> str | None:
    """Its program, where it is installed: an ordinary user's PATH may lack its folder."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@contextmanager
def pgbouncer(folder: Path, *urls: str, sessions: int = 8) -> Iterator[list[str]]:
    """The same databases through a pooler with so many sessions for each of them and each role."""
    pooler = PgBouncer(folder, *urls, sessions=sessions)
    pooler.start()
    try:
        yield pooler.through
    finally:
        pooler.end()
