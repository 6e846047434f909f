"""`make run` in a folder that looks like a clone, for tests that do what a reader of the documents does."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.main.contexts import load
from app.main.local import plan, postgres_binaries, rabbitmq
from app.platform.process.processes import free_port
from tests.system.e2e.conftest import without_what_others_left
from tests.system.e2e.house import wait_until
from tests.system.e2e.pages import ROOT, Shell

# Short times, in the proportions of the defaults.
PORTS = plan.defaults(load({}))
QUICK = {"REQUEST_TIMEOUT_S": "6", "GATEWAY_TIMEOUT_S": "1.2", "RECOVER_AFTER_S": "6.5", "RECOVER_EVERY_S": "0.2"}
QUICK |= {"CHAIN_CONFIRMATIONS": "3"}


class Service:
    """`make run` in a folder that looks like a clone, and what a shell there has to know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for entry in ROOT.iterdir():
            if entry.name not in (".strongbox", ".venv", ".git", "build"):
                (folder / entry.name).symlink_to(entry)
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / ".curlrc").write_text("fail-with-body\n")  # in a script a refused request is a failure
        others = (8082, 8083, 8084)  # of what pages start beside it
        self.ports = {str(port): free_port() for port in (*PORTS.values(), *others)}
        path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
        self.log = folder / "run.log"
        self.database_log = folder / ".strongbox/postgres/server.log"

    said_of_the_start = ""
    """What the database had logged when everything served."""

    def start(self) -> "subprocess.Popen[bytes]":
        settings = {name: str(self.ports[str(port)]) for name, port in PORTS.items()}
        with self.log.open("wb") as log:
            return subprocess.Popen(
                ["make", "--assume-old=.venv/.ready", "run"], cwd=self.folder, env=self.environment | QUICK | settings,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @contextmanager
    def happy_gateway(self) -> Iterator[None]:
        """Whatever a page tells it, the next one finds the gateway well."""
        try:
            yield
        finally:
            httpx.put(f"http://127.0.0.1:{self.ports['8081']}/admin/mode", json={"mode": "happy"}).raise_for_status()

    def shell(self) -> Shell:
        binaries = postgres_binaries.find(None).folder  # psql and pg_dump, where no package has put them
        path = f"{binaries}{os.pathsep}{self.environment['PATH']}"
        postgres = self.folder / ".strongbox/postgres"
        password, port = ((postgres / name).read_text().strip() for name in ("password", "port"))
        admin = f"postgresql://postgres:{password}@127.0.0.1:{port}/strongbox"
        return Shell(self.folder, self.environment | QUICK | {"PATH": path, "ADMIN_URL": admin}, self.ports)


@contextmanager
def serving(folder: Path, request: pytest.FixtureRequest, **settings: str) -> Iterator[Service]:
    """A service in the folder, which ends with the block."""
    service = Service(folder)
    service.environment |= settings
    if not rabbitmq.installed():  # events have to go through queues, as the pages say
        url = service.environment["RABBITMQ_URL"] = request.getfixturevalue("rabbitmq_url")
        asyncio.run(without_what_others_left(url))
    run = service.start()
    try:
        wait_until(lambda: run.poll() is not None or "Ctrl-C ends it" in service.log.read_text(), "`make run`", 600)
        assert run.poll() is None, service.log.read_text()
        service.said_of_the_start = service.database_log.read_text()
        yield service
    finally:
        os.killpg(run.pid, signal.SIGINT)
        try:
            run.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
