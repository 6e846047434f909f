"""The PostgreSQL and the RabbitMQ of a run: whichever worker first needs one starts it for all, the run's end ends it.

Nobody may stop them, kill them, or change what is everybody's: who has to starts one of his own.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.main import databases
from app.main.local.postgres import PostgresServer
from app.main.local.rabbitmq import RabbitMQNode
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from tests import forks
from tests.locks import alone

PASSWORD = "only-for-tests"
TEMPLATE = "strongbox_template"
DOCKER_IMAGE = "rabbitmq:4.3"
VIRTUAL_HOSTS = tuple(f"gw{number}" for number in range(8))
"""For each worker one, by the name that pytest-xdist gives it."""
START_LIMIT_S = 300.0
"""For a node, which takes seconds of a quiet machine."""
_started: list[PostgresServer | RabbitMQNode] = []
"""Kept, as what is dropped complains of the process that it leaves behind."""


def make_folder() -> Path:
    """A folder of this run's own."""
    folder = Path(tempfile.mkdtemp(prefix="strongbox-tests-"))
    folder.chmod(0o755)  # PostgreSQL may run as another user
    return folder


def end(folder: Path) -> None:
    """End what was started in the folder, and remove it."""
    server, node = PostgresServer(folder / "postgres"), RabbitMQNode(folder / "rabbitmq")
    if server.find_running():
        server.kill()  # nothing in them is wanted any more
        server.stop()
    node.kill()
    node.stop()
    shutil.rmtree(folder, ignore_errors=True)


def leave() -> None:
    """Leave to the run's end what this process has started: others may need it yet, so nobody here waits for it."""
    for server in _started:
        children = [server._child] if isinstance(server, PostgresServer) else server._children
        for child in children:
            if child is not None:
                forks.let_go(child)
    _started.clear()


def postgres(folder: Path) -> PostgresServer:
    """The server of all workers, with the roles and the template that databases are copied from."""
    with alone(folder / "postgres.lock"):
        server = _Serving(folder / "postgres", settings=("max_connections=400", "fsync=off"))
        first = not server.folder.exists()
        server.start()
        _started.append(server)
        if first:
            prepare(server)
        return server


class _Serving(PostgresServer):
    """A server that whoever comes later takes as it is: one that is slow to answer is not ended under the others."""

    def _adopt(self) -> bool:
        return self.find_running()


def prepare(server: PostgresServer) -> None:
    """Make the roles, and the template that databases are copied from."""
    make_roles(server.url(), PASSWORD, PASSWORD)
    make_database(server.url(), TEMPLATE)
    migrations.up(databases.at(urls(server, TEMPLATE).owner_url))


def urls(server: PostgresServer, name: str) -> Urls:
    """A database of the server, as its owner and the services see it."""
    return Urls(server.url(name, OWNER, PASSWORD), server.url(name, LOGIN, PASSWORD))


def rabbitmq_url(folder: Path, worker: str) -> str:
    """The node of all workers: where this one has a virtual host of its own."""
    with alone(folder / "rabbitmq.lock"):
        node = _Shared(folder / "rabbitmq", START_LIMIT_S)
        node.start()
        _started.append(node)
        return f"{node.url}{worker}"


class _Shared(RabbitMQNode):
    """A node with a virtual host for each worker from its first moment on, as making them one by one takes seconds.

    Whoever comes later takes it as it is, as with the server of PostgreSQL.
    """

    def start(self) -> None:
        if not self.alive:
            super().start()

    def _configure(self) -> None:
        super()._configure()
        file = self.folder / "definitions.json"
        file.write_text(json.dumps(_definitions()))
        with (self.folder / "rabbitmq.conf").open("a") as settings:
            settings.write(f"load_definitions = {file}\n")


def _definitions() -> dict[str, object]:
    salt = b"salt"  # of a password that everybody knows
    password = base64.b64encode(salt + hashlib.sha256(salt + b"guest").digest()).decode()
    everything = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [{"name": "guest", "password_hash": password, "tags": "administrator"}],
        "vhosts": [{"name": name} for name in ("/", *VIRTUAL_HOSTS)],
        "permissions": [everything | {"vhost": name} for name in ("/", *VIRTUAL_HOSTS)],
    }


def docker_works() -> bool:
    """Whether Docker is here and serves."""
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def in_docker() -> Iterator[str]:
    """The URL of a RabbitMQ in a container, which ends with the block."""
    start = ["docker", "run", "--detach", "--rm", "--publish", "127.0.0.1::5672", DOCKER_IMAGE]
    container = subprocess.run(start, capture_output=True, text=True, check=True).stdout.strip()
    try:
        port = subprocess.run(["docker", "port", container, "5672"], capture_output=True, text=True, check=True)
        _wait_for_docker(container)
        yield f"amqp://guest:guest@{port.stdout.split()[0]}/"
    finally:
        subprocess.run(["docker", "stop", container], capture_output=True, check=False)


def _wait_for_docker(container: str) -> None:
    deadline = time.monotonic() + 90
    check = ["docker", "exec", container, "rabbitmq-diagnostics", "-q", "check_port_connectivity"]
    while subprocess.run(check, capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < deadline, "RabbitMQ in Docker was not ready within 90 s"
        time.sleep(1)
