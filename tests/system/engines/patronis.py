"""A pair of PostgreSQL that Patroni and etcd look after: the URL lists both."""

import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx

from app.main import databases
from app.main.local.roles import LOGIN, OWNER, Urls, make_database, make_roles
from app.platform.postgres import migrations
from app.platform.process.processes import CannotStart, comes_true
from tests.system.engines.engine import Engine, Place, at_hosts, for_whom
from tests.system.engines.house import Twice
from tests.system.engines.patroni import LIMIT_S, TTL_S, Etcd, Node, asked
from tests.system.soak.servers import DATABASE, PASSWORD

FROZEN_S: Final = TTL_S + 10.0


class Patronis(Engine):
    """What falls is the machine of the leader: Patroni and PostgreSQL at once."""

    name = "patroni"
    what = "A pair of PostgreSQL with Patroni and etcd, the standby synchronous"
    needs: ClassVar = {"patroni": lambda: shutil.which("patroni"), "etcd-server": lambda: shutil.which("etcd")}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._etcd = Etcd(folder / "etcd")
        self._nodes = [Node(folder / f"node-{nth}", f"node-{nth}", self._etcd) for nth in (1, 2)]

    def start(self) -> Place:
        """See `Engine.start`."""
        self.servers.rabbitmq.start()
        self.servers.redis.start()
        self._etcd.start()
        for node in self._nodes:
            node.start()
        self._whole()
        both = at_hosts(f"postgresql://postgres:{PASSWORD}@nowhere/postgres", [node.port for node in self._nodes])
        make_roles(both, PASSWORD, PASSWORD)
        make_database(both, DATABASE)
        urls = Urls(*(for_whom(both, role, PASSWORD, DATABASE) for role in (OWNER, LOGIN)))
        migrations.up(databases.at(for_whom(self._leader_url(), OWNER, PASSWORD, DATABASE)))
        return Place(urls, self.servers.rabbitmq.url, self.servers.redis.url)

    def deeds(self, house: Twice) -> Mapping[str, Callable[[], None]]:
        """See `Engine.deeds`."""
        return {
            "the leader's machine dies": self._kill,
            f"the leader's machine stands still for {FROZEN_S:g} s": self._freeze,
            "a rolling restart: the standby, a switch-over, the other": self._restart,
        }

    def stop(self) -> None:
        """See `Engine.stop`."""
        for node in self._nodes:
            node.end()
        self._etcd.stop()
        super().stop()

    def _kill(self) -> None:
        leader, other = self._by_role()
        leader.end()
        self._leads(other)
        leader.start()
        self._whole()

    def _freeze(self) -> None:
        leader, other = self._by_role()
        leader.send(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        leader.send(signal.SIGCONT)
        self._leads(other)
        self._whole()

    def _restart(self) -> None:
        leader, other = self._by_role()
        self._told(other, "restart", {})
        self._told(leader, "switchover", {"leader": leader.name, "candidate": other.name})
        self._leads(other)
        self._whole()
        self._told(leader, "restart", {})

    def _told(self, node: Node, what: str, how: dict[str, str]) -> None:
        httpx.post(f"{node.rest}/{what}", json=how, timeout=LIMIT_S).raise_for_status()
        self._whole()

    def _by_role(self) -> tuple[Node, Node]:
        """The leader, and the other."""
        first, second = self._nodes
        return (first, second) if self._role(first) == "leader" else (second, first)

    def _role(self, node: Node) -> str | None:
        members = self._members()
        return next((one["role"] for one in members if (one["name"], one["state"]) == (node.name, "running")), None)

    def _members(self) -> Any:
        answers = (asked(f"{node.rest}/cluster") for node in self._nodes)
        return next((answer["members"] for answer in answers if answer), [])

    def _leads(self, node: Node) -> None:
        if not comes_true(lambda: self._role(node) == "leader", LIMIT_S):
            raise CannotStart(f"{node.name} does not become the leader")

    def _whole(self) -> None:
        """Wait until one leads, and COMMITs wait for the other."""
        if not comes_true(lambda: {self._role(node) for node in self._nodes} == {"leader", "sync_standby"}, LIMIT_S):
            raise CannotStart(f"Patroni's nodes do not come together: {self._members()}")

    def _leader_url(self) -> str:
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self._by_role()[0].port}/{DATABASE}"
