"""A cluster of three RabbitMQ nodes on one machine: RABBITMQ_URL lists them all."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Final

from app.main.local.rabbitmq import HOST, RabbitMQNode, _epmd, installed
from app.platform.process.processes import free_port
from app.platform.process.secret_files import write_privately
from tests.servers import START_LIMIT_S
from tests.system.engines.engine import DOWN_S, Engine, Place, new_folder
from tests.system.engines.house import Twice

NODES: Final = 3
FROZEN_S: Final = 15.0
"""Longer than the others wait for one that has fallen silent."""
_CONF: Final = """
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.randomized_startup_delay_range.min = 0
cluster_formation.randomized_startup_delay_range.max = 1
cluster_partition_handling = pause_minority
net_ticktime = 10
"""


class Member(RabbitMQNode):
    """A node of a cluster, whose nodes share a port mapper."""

    def __init__(self, folder: Path, number: int, mapper_port: int) -> None:
        super().__init__(folder, START_LIMIT_S)
        self._number = number
        self._mapper_port = mapper_port

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{HOST}:{self.port}/"

    def kill(self) -> None:
        """End the node, and nothing else."""
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Signal the node."""
        assert self._record.node is not None
        self._record.node.send(number)

    def _configure(self) -> None:
        super()._configure()
        self._record.epmd_port = self._mapper_port
        with (self.folder / "rabbitmq.conf").open("a") as settings:
            settings.write(_CONF)
            for number in range(1, NODES + 1):
                settings.write(f"cluster_formation.classic_config.nodes.{number} = {_name(number)}\n")

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {"RABBITMQ_NODENAME": _name(self._number)}


def _name(number: int) -> str:
    return f"strongbox{number}@localhost"


class Rabbits(Engine):
    """What falls is the first node, at first the leader of all queues."""

    name = "rabbitmq"
    what = "A cluster of three RabbitMQ nodes"
    needs: ClassVar = {"rabbitmq-server": installed}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._mapper: subprocess.Popen[bytes] | None = None
        self._nodes: list[Member] = []

    def start(self) -> Place:
        """See `Engine.start`."""
        mapper_port = free_port()
        for number in range(1, NODES + 1):
            folder = new_folder(self.folder / f"rabbitmq-{number}")
            write_privately(new_folder(folder / "home") / ".erlang.cookie", "ONLYFORTESTS")
            self._nodes.append(Member(folder, number, mapper_port))
        environment = self._nodes[0]._environment() | {"ERL_EPMD_PORT": str(mapper_port)}
        self._mapper = subprocess.Popen([_epmd(environment), "-port", str(mapper_port)], env=environment)
        self.servers.rabbitmq = self._nodes[0]
        place = super().start()
        for node in self._nodes[1:]:
            node.start()
        return place._replace(rabbitmq_url=",".join(node.url for node in self._nodes))

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            "one of the three is killed": self._kill,
            f"one of the three stands still for {FROZEN_S:g} s": self._freeze,
            "a rolling restart of all three": self._restart,
        }

    def stop(self) -> None:
        """See `Engine.stop`."""
        for node in self._nodes:
            if node.alive:
                node.send(signal.SIGCONT)
            node.kill()  # nothing in them is wanted any more
            node.stop()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
        super().stop()

    def _kill(self) -> None:
        self._nodes[0].kill()
        time.sleep(DOWN_S)
        self._nodes[0].start()

    def _freeze(self) -> None:
        self._nodes[0].send(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        self._nodes[0].send(signal.SIGCONT)

    def _restart(self) -> None:
        for node in self._nodes:
            node.stop(limit_s=60)
            node.start()
