"""A private PostgreSQL server under a folder: durable, on the loopback, with a password, of modest size."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from app.main.local import postgres_binaries
from app.platform.process.processes import CannotStart, ProcessId, command_line, free_port, last_lines
from app.platform.process.secret_files import secret, write_privately

HOST = "127.0.0.1"
SUPERUSER = "postgres"


class PostgresServer:
    """The server of one folder. Starting adopts what still runs there; the data stays when it is stopped."""

    def __init__(self, folder: Path, settings: Sequence[str] = (), start_limit_s: float = 120) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.settings = settings
        self.start_limit_s = start_limit_s
        self.port = 0
        self.version = 0
        self.binaries: Path | None = None
        self.process: ProcessId | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        if self._child is not None:
            self._child.poll()  # else it would stay a zombie
        return self.process is not None and self.process.alive

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """The libpq URL of a database; without a password, the superuser's."""
        password = secret(self.folder / "password") if password is None else password
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Serve, making the data folder when there is none.

        Raises:
            CannotStart: no fitting PostgreSQL, a folder of another version, or a server that does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        made_by = self._made_by()
        try:
            binaries = postgres_binaries.find(made_by)
        except CannotStart as error:
            if made_by is None:
                raise
            raise CannotStart(
                f"{self.data} cannot be served: {error}. Install PostgreSQL {made_by}, "
                f"give DATABASE_URL, or remove {self.folder} to begin anew"
            ) from None
        self.binaries, self.version = binaries.folder, binaries.version
        if made_by is not None and not (self.folder / "password").exists():
            raise CannotStart(f"{self.folder / 'password'} is gone: remove {self.folder} to begin anew")
        if made_by is not None and self._adopt():
            return
        account = postgres_binaries.account(binaries, self.folder)
        if made_by is None:
            self._initialise(binaries, account)
        self._launch(binaries, account)

    def stop(self, limit_s: float = 15) -> None:
        """End every session and the server; what has been committed is on disk."""
        if self.process is not None:
            self._end(self.process, limit_s)
        if self._child is not None:
            self._child.wait()
        self.process = self._child = None

    def kill(self) -> None:
        """End it at once; the next start recovers from its log."""
        if self.process is not None:
            self.process.send(signal.SIGQUIT)

    def _made_by(self) -> int | None:
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii").partition(".")[0])
        except FileNotFoundError:
            return None

    def _initialise(self, binaries: postgres_binaries.Binaries, account: postgres_binaries.Account) -> None:
        # Made aside and renamed, so that a start killed half-way leaves nothing that looks like a data folder.
        draft, password_file = self.folder / "data.new", self.folder / "password.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        write_privately(password_file, secret(self.folder / "password"))
        for path in (draft, password_file):
            os.chown(path, account.uid, account.gid)
        command = [str(binaries.folder / "initdb"), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
        answer = subprocess.run(  # noqa: S603
            [*account.prefix, *command], capture_output=True, text=True, check=False, cwd="/", env=_environment()
        )
        password_file.unlink()
        if answer.returncode != 0:
            raise CannotStart(f"PostgreSQL's initdb failed:\n{answer.stdout}{answer.stderr}")
        draft.rename(self.data)

    def _launch(self, binaries: postgres_binaries.Binaries, account: postgres_binaries.Account) -> None:
        wanted = _number(self.folder / "port")
        deadline = time.monotonic() + self.start_limit_s
        while True:
            self.port = free_port(wanted)
            (self.folder / "port").write_text(f"{self.port}\n", encoding="ascii")
            command = [*account.prefix, str(binaries.folder / "postgres"), "-D", str(self.data)]
            begins_at = self.log.stat().st_size if self.log.exists() else 0
            if self._child is not None:
                self._child.wait()  # it has ended, perhaps between two looks at it, and nobody has taken note
            with self.log.open("ab") as log:
                self._child = subprocess.Popen(  # noqa: S603
                    [*command, *(word for setting in self._options() for word in ("-c", setting))],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd="/", env=_environment(), start_new_session=True,
                )  # fmt: skip
            self.process = ProcessId.of(self._child.pid)
            if self._answers(deadline):
                return
            if self.alive:
                self.stop()
                raise CannotStart(f"PostgreSQL was not ready within {self.start_limit_s:g} s:\n{last_lines(self.log)}")
            with self.log.open("rb") as log:
                log.seek(begins_at)
                said = log.read()
            # Sessions of a killed server take a moment to notice; a port may be taken since it was looked at.
            passing = b"shared memory block" in said or b"could not create any TCP/IP sockets" in said
            if not passing or time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL did not start:\n{last_lines(self.log)}")
            time.sleep(0.2)

    def _options(self) -> list[str]:
        # No unix socket: its path may be at most 107 bytes long, which a deep folder passes.
        return [
            f"listen_addresses={HOST}",
            f"port={self.port}",
            "unix_socket_directories=",
            "shared_buffers=128MB",
            "max_connections=250",
            "log_line_prefix=%m [%p] ",
            "timezone=UTC",
            "log_timezone=UTC",
            *self.settings,
        ]

    def _answers(self, deadline: float) -> bool:
        while self.alive and time.monotonic() < deadline:
            if not self._says_ready():  # a connection before that is a FATAL line in its log
                time.sleep(0.02)
                continue
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        return False

    def _says_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def find_running(self) -> bool:
        """Whether a server runs here that a killed run left behind; it can be stopped then."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, self.port = int(lines[0]), int(lines[3])
        except (FileNotFoundError, IndexError, ValueError):
            return False
        process = ProcessId.of(pid)
        if self._serves_this_folder(pid):
            self.process = process
            return True
        if process.alive:
            # Another process has the number of a server that is gone, on account of which PostgreSQL would
            # refuse to start. It notices by itself when sessions of the old server still run.
            (self.data / "postmaster.pid").unlink()
        return False

    def _adopt(self) -> bool:
        """Take over a server that runs here; one that does not answer is ended."""
        if not self.find_running():
            return False
        if self._answers(time.monotonic() + 10):
            return True
        self.stop()
        return False

    def _serves_this_folder(self, pid: int) -> bool:
        words = command_line(pid)
        if not words or Path(words[0]).name != "postgres":
            return False
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self.data  # a server stays in its data folder
        except OSError:
            return str(self.data) in words

    def _end(self, process: ProcessId, limit_s: float) -> None:
        for number, patience_s in ((signal.SIGINT, limit_s), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            process.send(number)
            if process.ends_within(patience_s):
                return


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and their like would reach into the server.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _number(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0
