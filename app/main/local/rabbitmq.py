"""A private RabbitMQ node under a folder, on the loopback, with its own Erlang port mapper and cookie."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import msgspec

from app.platform.process.processes import CannotStart, ProcessId, comes_true, free_port, last_lines
from app.platform.process.secret_files import write_privately

HOST = "127.0.0.1"
# The host part is a name that every machine resolves, whatever its own name is.
NODE = "strongbox@localhost"


class _Record(msgspec.Struct):
    """What a later run needs to take over, or end, what a killed one left behind."""

    amqp_port: int
    dist_port: int
    epmd_port: int
    node: ProcessId | None = None
    epmd: ProcessId | None = None


def installed() -> Path | None:
    """The script that starts a node as this user, when RabbitMQ is installed."""
    # An ordinary user's PATH may lack /usr/sbin.
    command = shutil.which("rabbitmq-server") or shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin")
    if not command or not shutil.which("erl"):
        return None
    # Debian's command in PATH changes to the user `rabbitmq`, who cannot write here: the one behind it does not.
    return Path(command).resolve().with_name("rabbitmq-server")


class RabbitMQNode:
    """The node of one folder. Starting adopts what still runs there; messages stay when it is stopped."""

    def __init__(self, folder: Path, start_limit_s: float = 90) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "server.log"
        self.start_limit_s = start_limit_s
        self._record = self._read()
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{HOST}:{self._record.amqp_port}/"

    @property
    def port(self) -> int:
        return self._record.amqp_port

    @property
    def processes(self) -> list[ProcessId]:
        return [process for process in (self._record.node, self._record.epmd) if process]

    @property
    def alive(self) -> bool:
        for child in self._children:
            child.poll()  # else it would stay a zombie
        return self._record.node is not None and self._record.node.alive

    def start(self) -> None:
        """Serve AMQP; takes some seconds.

        Raises:
            CannotStart: RabbitMQ is not installed, or the node does not come up.
        """
        script = installed()
        if script is None:
            raise CannotStart("RabbitMQ is not installed (Debian: apt-get install rabbitmq-server)")
        if self.alive and comes_true(self._answers, 10):
            return
        self.stop()
        (self.folder / "home").mkdir(parents=True, exist_ok=True)
        if (cookie := self.folder / "home" / ".erlang.cookie").exists():
            cookie.chmod(0o400)  # Erlang refuses one that others could read, as a copied folder may have it
        for _ in range(3):
            self._configure()
            if self._launch(script):
                return
            said = last_lines(self.log, 40)
            self.stop()
            if not re.search(r"eaddrinuse|already in use|address in use", said):
                break
        raise CannotStart(f"RabbitMQ did not start:\n{last_lines(self.log)}")

    def stop(self, limit_s: float = 20) -> None:
        """End the node and its port mapper; durable messages are on disk."""
        for process, patience_s in ((self._record.node, limit_s), (self._record.epmd, 2.0)):
            if process is None:
                continue
            process.send(signal.SIGTERM)
            if not process.ends_within(patience_s):
                process.send(signal.SIGKILL)
                process.ends_within(10)
        for child in self._children:
            child.wait()
        self._children.clear()
        self._record.node = self._record.epmd = None
        if self.folder.exists():
            self._write()

    def kill(self) -> None:
        """End it at once."""
        for process in self.processes:
            process.send(signal.SIGKILL)

    def _read(self) -> _Record:
        try:
            return msgspec.json.decode((self.folder / "node.json").read_bytes(), type=_Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Record(0, 0, 0)

    def _write(self) -> None:
        write_privately(self.folder / "node.json", msgspec.json.encode(self._record).decode())

    def _configure(self) -> None:
        record = self._record
        record.amqp_port = free_port(record.amqp_port)
        record.dist_port = free_port(record.dist_port)
        record.epmd_port = free_port(record.epmd_port)
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {HOST}:{record.amqp_port}\nlog.console = true\nlog.file = false\n", encoding="utf-8"
        )
        (self.folder / "enabled_plugins").write_text("[].\n", encoding="utf-8")

    def _launch(self, script: Path) -> bool:
        # The port mapper would start by itself, as a daemon that nobody could tell from another's afterwards.
        environment = self._environment()
        epmd = [_epmd(environment), "-port", str(self._record.epmd_port), "-address", HOST]
        self._record.epmd = self._spawn(epmd, environment)
        self._record.node = self._spawn([str(script)], environment)
        self._write()
        return comes_true(lambda: self._answers() or not self.alive, self.start_limit_s) and self.alive

    def _spawn(self, command: list[str], environment: dict[str, str]) -> ProcessId:
        with self.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=environment, start_new_session=True,
            )  # fmt: skip
        self._children.append(child)
        return ProcessId.of(child.pid)

    def _environment(self) -> dict[str, str]:
        foreign = ("RABBITMQ_", "ERL_", "NOTIFY_SOCKET")
        return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
            "HOME": str(self.folder / "home"),
            "ERL_EPMD_PORT": str(self._record.epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._record.dist_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "none.config"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(self.folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # The script then becomes the node, instead of staying in front of it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _answers(self) -> bool:
        """Whether AMQP is served: the node greets whoever sends the protocol's header."""
        try:
            with socket.create_connection((HOST, self._record.amqp_port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


def _epmd(environment: dict[str, str]) -> str:
    if found := shutil.which("epmd"):
        return found
    # Some packages leave it in Erlang's own folder only.
    command = ["erl", "-noinput", "-eval", 'io:format("~s", [code:root_dir()]), halt().']
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    for candidate in Path(answer.stdout.strip() or "/nowhere").glob("erts-*/bin/epmd"):
        return str(candidate)
    raise CannotStart("Erlang's port mapper (epmd) is not installed")
