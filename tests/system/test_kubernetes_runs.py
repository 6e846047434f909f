"""Whether what the manifests say runs: each container's command, asked by its probes, on real servers."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.main.contexts import load
from app.main.local.plan import made_here
from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from app.platform.process.processes import free_port
from tests.chain.certificates import certified
from tests.conftest import MakeDatabase
from tests.pace import slow
from tests.platform.outbox_fixtures import clean_broker
from tests.servers import PASSWORD
from tests.system.kubernetes import ROOT
from tests.system.kubernetes.autoscalers import AUTOSCALERS, by_pods, shown_as
from tests.system.kubernetes.workloads import DEPLOYMENTS, WORKLOADS, container, environment, pod, probes

LIMIT_S = 300.0
"""Eight processes start at once, on a machine that may have others to see to."""


@contextmanager
def started(words: list[str], given: Mapping[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A container's process, in an environment that has nothing else."""
    words = ["python", "-m", "app", *words[1:]] if words[0] == "strongbox" else words
    with (folder / "log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, *words[1:]], cwd=folder, env={"PATH": os.environ["PATH"], **given}, stdout=log, stderr=log
        )
        try:
            yield child
        finally:
            child.kill()
            child.wait(60)


def passes(probe: dict[str, Any], given: Mapping[str, str], ports: Mapping[str, int], folder: Path) -> bool:
    """Whether the kubelet would be content."""
    if "httpGet" in probe:
        url = f"http://127.0.0.1:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"
        try:
            return httpx.get(url, timeout=probe["timeoutSeconds"]).status_code == 200
        except httpx.TransportError:
            return False
    if "tcpSocket" in probe:
        try:
            socket.create_connection(("127.0.0.1", ports[probe["tcpSocket"]["port"]]), probe["timeoutSeconds"]).close()
        except OSError:
            return False
        return True
    with started(probe["exec"]["command"], given, folder) as child:
        return child.wait(LIMIT_S) == 0


SHOWN = {
    "api": "HTTP_PORT",
    "metrics": "METRICS_PORT",
    "relay": "RELAY_METRICS_PORT",
    "recover": "RECOVER_METRICS_PORT",
    "audit": "CONSUMER_METRICS_PORT",
    "rewards": "REWARDS_METRICS_PORT",
    "webhooks": "WEBHOOKS_METRICS_PORT",
    "mint": "MINT_METRICS_PORT",
    "chain": "CHAIN_METRICS_PORT",
}
"""Where a process shows its metrics."""


class Cluster:
    """What the containers of a cluster are given, and what its kubelet asks."""

    def __init__(self, urls: Urls, rabbitmq_url: str, folder: Path) -> None:
        self._folder = folder
        (certificate, key), grpc, nobody = certified(folder, "chain"), free_port(), free_port()
        self._secrets = {
            "MIGRATE_DATABASE_URL": urls.owner_url,
            "DATABASE_URL": urls.app_url,
            "RABBITMQ_URL": rabbitmq_url,
            **{port: str(free_port()) for port in SHOWN.values()},
            **made_here(load({"JWT_ALG": "EdDSA"}), {"HTTP_PORT": 8080}, folder),
            "EVM_RPC_URL": f"http://127.0.0.1:{nobody}",  # a node that is away holds up no start
            "CHAIN_GRPC_PORT": str(grpc),
            "CHAIN_GRPC_URL": f"https://127.0.0.1:{grpc}",
            "CHAIN_TLS_CERT": str(certificate),
            "CHAIN_TLS_KEY": str(key),
            "CHAIN_TLS_CA": str(certificate),
        }

    def started(self, name: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        """The workload's container."""
        return started(container(WORKLOADS[name])["command"], self._given(name), self._folder)

    async def all_pass(self, which: str) -> bool:
        """Whether all who have that probe pass it."""
        names = {"http": "HTTP_PORT", "metrics": "METRICS_PORT", "grpc": "CHAIN_GRPC_PORT"}
        ports = {name: int(self._secrets[setting]) for name, setting in names.items()}
        found = [
            asyncio.to_thread(passes, probes(one)[which], self._given(name), ports, self._folder)
            for name, one in DEPLOYMENTS.items()
            if which in probes(one)
        ]
        return all(await asyncio.gather(*found))

    async def shown(self, name: str) -> str:
        """The metrics that a process shows, where its annotations say."""
        async with httpx.AsyncClient() as client:
            path = annotations(name)["prometheus.io/path"]
            answer = await client.get(f"http://127.0.0.1:{self._secrets[SHOWN[name]]}{path}")
        return answer.raise_for_status().text

    def _given(self, name: str) -> dict[str, str]:
        here = {key: self._secrets.get(key, value) for key, value in environment(WORKLOADS[name]).items()}
        of_the_image = {"HEARTBEAT_DIR": str(self._folder), "HTTP_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        return here | of_the_image | {key: self._secrets[key] for key in ("HTTP_PORT", "METRICS_PORT")}


def annotations(name: str) -> dict[str, str]:
    found: dict[str, str] = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["annotations"]
    return found


async def test_what_the_manifests_say_runs_is_seen_to_live_and_ends_in_time(
    postgres_url: str, make_fresh_database: MakeDatabase, rabbitmq_url: str, tmp_path: Path
) -> None:
    make_database(postgres_url, "kubernetes")
    host = postgres_url.rpartition("@")[2].partition("/")[0]
    urls = Urls(*(f"postgresql://{user}:{PASSWORD}@{host}/kubernetes" for user in (OWNER, LOGIN)))
    cluster, log = Cluster(urls, rabbitmq_url, tmp_path), tmp_path / "log"
    async with clean_broker(rabbitmq_url):
        with cluster.started("migrate") as migrating:
            assert await asyncio.to_thread(migrating.wait, LIMIT_S) == 0, log.read_text()
        assert not await cluster.all_pass("startupProbe")
        with ExitStack() as stack:
            running = {name: stack.enter_context(cluster.started(name)) for name in DEPLOYMENTS}
            # A probe's own seconds may be too few for once: the kubelet asks again as well.
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                deadline = time.monotonic() + LIMIT_S
                while not await cluster.all_pass(probe):
                    assert time.monotonic() < deadline, f"{probe}: {log.read_text()}"
            shown = {name: await cluster.shown(name) for name in SHOWN}
            for name, scaler in AUTOSCALERS.items():
                for one in by_pods(scaler):
                    series = shown_as(one["metric"]["name"])
                    assert re.search(rf"^{series}[{{ ]", shown[name], re.MULTILINE), f"{name} shows no {series}"
            for child in running.values():
                child.send_signal(signal.SIGTERM)
            for name, child in running.items():
                limit_s = slow(pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"])
                assert await asyncio.to_thread(child.wait, limit_s) == 0, name
    assert "Traceback" not in log.read_text()
