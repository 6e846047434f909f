"""Whether what the manifests say runs: each container's command, asked by its probes, on real servers."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from app.main.local.processes import free_port
from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from tests.conftest import PASSWORD, MakeDatabase
from tests.integration.outbox_fixtures import clean_broker
from tests.kubernetes import ROOT
from tests.kubernetes.workloads import DEPLOYMENTS, WORKLOADS, container, environment, pod, probes


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
            child.wait(10)


def passes(probe: dict[str, Any], given: Mapping[str, str], ports: Mapping[str, int], folder: Path) -> bool:
    """Whether the kubelet would be content."""
    if "httpGet" in probe:
        url = f"http://127.0.0.1:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"
        try:
            return httpx.get(url, timeout=probe["timeoutSeconds"]).status_code == 200
        except httpx.TransportError:
            return False
    with started(probe["exec"]["command"], given, folder) as child:
        return child.wait(30) == 0


async def test_what_the_manifests_say_runs_is_seen_to_live_and_ends_in_time(
    postgres_url: str, make_fresh_database: MakeDatabase, rabbitmq_url: str, tmp_path: Path
) -> None:
    make_database(postgres_url, "kubernetes")
    host = postgres_url.rpartition("@")[2].partition("/")[0]
    urls = Urls(*(f"postgresql://{user}:{PASSWORD}@{host}/kubernetes" for user in (OWNER, LOGIN)))
    secrets = {
        "MIGRATE_DATABASE_URL": urls.owner_url,
        "DATABASE_URL": urls.app_url,
        "RABBITMQ_URL": rabbitmq_url,
        "HTTP_PORT": str(free_port()),
        "METRICS_PORT": str(free_port()),
        "RELAY_METRICS_PORT": str(free_port()),
        "RECOVER_METRICS_PORT": str(free_port()),
        "CONSUMER_METRICS_PORT": str(free_port()),
    }
    ports = {"http": int(secrets["HTTP_PORT"]), "metrics": int(secrets["METRICS_PORT"])}

    def given(name: str) -> dict[str, str]:
        here = {key: secrets.get(key, value) for key, value in environment(WORKLOADS[name]).items()}
        of_the_image = {"HEARTBEAT_DIR": str(tmp_path), "HTTP_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        return here | of_the_image | {key: secrets[key] for key in ("HTTP_PORT", "METRICS_PORT")}

    async def all_pass(which: str) -> bool:
        found = [
            asyncio.to_thread(passes, probes(one)[which], given(name), ports, tmp_path)
            for name, one in DEPLOYMENTS.items()
            if which in probes(one)
        ]
        return all(await asyncio.gather(*found))

    async with clean_broker(rabbitmq_url):
        with started(container(WORKLOADS["migrate"])["command"], given("migrate"), tmp_path) as migrating:
            assert await asyncio.to_thread(migrating.wait, 60) == 0, (tmp_path / "log").read_text()
        assert not await all_pass("startupProbe")
        with ExitStack() as stack:
            running = {
                name: stack.enter_context(started(container(one)["command"], given(name), tmp_path))
                for name, one in DEPLOYMENTS.items()
            }
            deadline = time.monotonic() + 60
            while not await all_pass("startupProbe"):
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            assert await all_pass("readinessProbe")
            assert await all_pass("livenessProbe")
            async with httpx.AsyncClient() as client:
                annotations = {
                    name: one["spec"]["template"]["metadata"].get("annotations") for name, one in DEPLOYMENTS.items()
                }
                shown = {
                    "api": "HTTP_PORT",
                    "metrics": "METRICS_PORT",
                    "relay": "RELAY_METRICS_PORT",
                    "recover": "RECOVER_METRICS_PORT",
                    "audit": "CONSUMER_METRICS_PORT",
                }
                for name, port in shown.items():
                    answer = await client.get(
                        f"http://127.0.0.1:{secrets[port]}{annotations[name]['prometheus.io/path']}"
                    )
                    assert answer.status_code == 200
            for child in running.values():
                child.send_signal(signal.SIGTERM)
            for name, child in running.items():
                limit_s = pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"]
                assert await asyncio.to_thread(child.wait, limit_s) == 0, name
    assert "Traceback" not in (tmp_path / "log").read_text()
