"""A node of Patroni: it and the PostgreSQL that it looks after, with the etcd that its nodes agree by."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from app.main.local import postgres_binaries
from app.platform.process.processes import CannotStart, comes_true, free_port
from tests.system.crash.mishaps import send
from tests.system.engines.engine import new_folder
from tests.system.soak.servers import PASSWORD

LIMIT_S: Final = 120.0
TTL_S: Final = 20
"""After which a leader that says nothing is none any more."""
PARAMETERS: Final = {"max_connections": 200, "fsync": "off", "unix_socket_directories": "", "wal_log_hints": "on"}


class Etcd:
    """One node, which agrees with itself."""

    def __init__(self, folder: Path) -> None:
        self.url = f"127.0.0.1:{free_port()}"
        self._folder = new_folder(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve."""
        own, peers = f"http://{self.url}", f"http://127.0.0.1:{free_port()}"
        words = [f"--data-dir={self._folder / 'data'}", f"--listen-client-urls={own}", f"--advertise-client-urls={own}"]
        words += [f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"]
        words += [f"--initial-cluster=default={peers}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(["etcd", *words], stdout=log, stderr=log)
        if not comes_true(lambda: asked(f"{own}/health") is not None, LIMIT_S):
            raise CannotStart("etcd does not serve")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Node:
    """One of the nodes of a scope."""

    def __init__(self, folder: Path, name: str, etcd: Etcd) -> None:
        self.name = name
        self.port, self.rest_port = free_port(), free_port()
        self.rest = f"http://127.0.0.1:{self.rest_port}"
        self._folder = new_folder(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._binaries = postgres_binaries.find()
        self._account = postgres_binaries.account(self._binaries, self._folder)
        os.chown(self._folder, self._account.uid, self._account.gid)
        configuration = json.dumps(self._configuration(etcd))  # which is YAML, too
        (self._folder / "patroni.yml").write_text(configuration)

    def start(self) -> None:
        """Have Patroni see to it that PostgreSQL serves, as whatever is called for."""
        command = [*self._account.prefix, str(shutil.which("patroni")), str(self._folder / "patroni.yml")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")

    def send(self, number: signal.Signals) -> None:
        """Signal Patroni, PostgreSQL and its sessions, as if it were the machine that it befell."""
        send(self._pids(), number)

    def end(self) -> None:
        """End everything of it at once."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _pids(self) -> Sequence[int]:
        """Of all processes: Patroni first, which starts again what ends, then whoever starts sessions."""
        pids = [self._process.pid] if self._process is not None and self._process.poll() is None else []
        try:
            postmaster = int((self._folder / "data/postmaster.pid").read_text().split()[0])
            sessions = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except (FileNotFoundError, IndexError):
            return pids
        return [*pids, postmaster, *map(int, sessions)]

    def _configuration(self, etcd: Etcd) -> dict[str, Any]:
        who = {name: {"username": user, "password": PASSWORD} for name, user in
               (("superuser", "postgres"), ("replication", "replicator"), ("rewind", "rewinder"))}  # fmt: skip
        hba = [f"host {what} all 127.0.0.1/32 scram-sha-256" for what in ("all", "replication")]
        where = f"127.0.0.1:{self.port}"
        return {
            "scope": "strongbox",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self.rest_port}", "connect_address": f"127.0.0.1:{self.rest_port}"},
            "etcd3": {"host": etcd.url},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S, "loop_wait": 5, "retry_timeout": 5, "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": PARAMETERS},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": where, "connect_address": where, "data_dir": str(self._folder / "data"),
                "bin_dir": str(self._binaries.folder), "pgpass": str(self._folder / "pgpass"),
                "authentication": who, "pg_hba": hba,
            },
        }  # fmt: skip


def asked(url: str) -> Any:
    """What it answers; None where it does not, or not well."""
    try:
        answer = httpx.get(url, timeout=5)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.is_success else None
