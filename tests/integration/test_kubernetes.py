"""Whether the manifests of deploy/kubernetes fit each other, the settings and the commands; whether what they say runs.

Each container's command is started with its environment, and asked by its probes, on real servers. Whether the
manifests are such at all is for their schemas to say: `make manifests`.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

from app.application.outbox.relay import LANES
from app.main.cli import main
from app.main.container import Container
from app.main.local.processes import free_port
from app.main.local.roles import LOGIN, OWNER, Urls, make_database
from app.main.settings import Settings, load
from consumers.__main__ import main as consumers_main
from tests.conftest import PASSWORD, MakeDatabase
from tests.integration.outbox_fixtures import clean_broker
from tests.kubernetes import FOLDER, PARTS, ROOT, SECRETS, Document, assembled, read

DOCUMENTS = {part: list(assembled(FOLDER / part)) for part in PARTS}
ALL = [*DOCUMENTS["services"], *(one for one in DOCUMENTS["migrate"] if one["kind"] == "Job")]
WORKLOADS = {one["metadata"]["name"]: one for one in ALL if one["kind"] in ("Deployment", "Job")}
DEPLOYMENTS = {name: one for name, one in WORKLOADS.items() if one["kind"] == "Deployment"}
NEEDS = {
    "migrate": ["owner_url"],
    "api": ["database_url", "gateway_url", "api_keys"],
    "relay": ["database_url", "rabbitmq_url"],
    "recover": ["database_url", "gateway_url"],
    "metrics": ["consumers_url", "rabbitmq_url"],
    "audit": ["consumers_url", "rabbitmq_url"],
}
PORTS = {"postgresql": 5432, "amqp": 5672, "amqps": 5671, "https": 443}
SECRET = {one["metadata"]["name"]: one["stringData"] for one in read(SECRETS)}
(SETTINGS,) = [one["data"] for one in ALL if one["kind"] == "ConfigMap"]


def kind(name: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == name}


def pod(workload: Document) -> dict[str, Any]:
    found: dict[str, Any] = workload["spec"]["template"]["spec"]
    return found


def container(workload: Document) -> dict[str, Any]:
    (found,) = pod(workload)["containers"]
    assert isinstance(found, dict)
    return found


def labels(workload: Document) -> dict[str, str]:
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def selects(selector: Mapping[str, Any], workload: Document) -> bool:
    """Whether a label selector takes the workload's pods."""
    found = labels(workload)
    return selector.get("matchLabels", {}).items() <= found.items() and all(
        one["operator"] == "In" and found.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", ())
    )


def environment(workload: Document) -> dict[str, str]:
    """What the container finds in its environment, with the secrets of the example."""
    found: dict[str, str] = {}
    for source in container(workload)["envFrom"]:
        ((how, what),) = source.items()
        found |= {"configMapRef": {"settings": SETTINGS}, "secretRef": SECRET}[how][what["name"]]
    return found


def probes(workload: Document) -> dict[str, dict[str, Any]]:
    return {name: probe for name, probe in container(workload).items() if name.endswith("Probe")}


def replicas(name: str) -> int:
    """How many there are at the most, when nothing is rolled out."""
    scaled = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in kind("HorizontalPodAutoscaler").values()}
    return int(scaled[name]["maxReplicas"] if name in scaled else DEPLOYMENTS[name]["spec"]["replicas"])


# The files


def test_every_file_is_part_of_a_kustomization_and_nothing_has_the_name_of_another() -> None:
    used = {FOLDER / "secrets.example.yaml", *FOLDER.rglob("kustomization.yaml")}
    for file in FOLDER.rglob("kustomization.yaml"):
        (one,) = read(file)
        names = [*one.get("resources", ()), *one.get("components", ())]
        names += [env for generator in one.get("configMapGenerator", ()) for env in generator.get("envs", ())]
        used |= {(file.parent / name).resolve() for name in names}
    assert {file for file in FOLDER.rglob("*") if file.is_file()} == {path for path in used if path.is_file()}
    assert all(path.exists() for path in used)
    for documents in DOCUMENTS.values():
        names = [(one["kind"], one["metadata"]["name"]) for one in documents]
        assert len(names) == len(set(names))


def test_there_is_a_workload_for_each_process() -> None:
    assert WORKLOADS.keys() == NEEDS.keys()


def test_the_version_is_that_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {container(workload)["image"] for workload in WORKLOADS.values()} == {f"strongbox:{version}"}
    (ours,) = read(FOLDER / "example/ours/kustomization.yaml")
    assert [(image["name"], image["newTag"]) for image in ours["images"]] == [("strongbox", version)]


# Each pod


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_may_do_what_it_needs_and_no_more(name: str) -> None:
    spec, one = pod(WORKLOADS[name]), container(WORKLOADS[name])
    assert spec["serviceAccountName"] in kind("ServiceAccount")
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    (uid,) = re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": int(uid), "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert [mount["mountPath"] for mount in one["volumeMounts"]] == ["/tmp"]
    assert one["volumeMounts"][0]["name"] == spec["volumes"][0]["name"]
    assert re.search(r"^ENV .*HEARTBEAT_DIR=/tmp", (ROOT / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE)
    assert {"cpu", "memory"} == one["resources"]["requests"].keys()
    assert one["resources"]["limits"].keys() == {"memory"}  # held to less processor time it would only be slow


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pods_environment_is_settings_that_its_process_takes(name: str) -> None:
    given = environment(WORKLOADS[name])
    assert given.keys() <= set(Settings.__struct_encode_fields__)
    load(given).require(*NEEDS[name])
    others = {secret for secret in SECRET if not (SECRET[secret].keys() & given.keys())}
    for secret in SECRET.keys() - others:  # no secret that it has no use for
        without = {key: value for key, value in given.items() if key not in SECRET[secret]}
        with pytest.raises(Exception, match="is not set"):
            load(without).require(*NEEDS[name])


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pods_command_exists(name: str) -> None:
    words = container(WORKLOADS[name])["command"]
    command, start = (main, 1) if words[0] == "strongbox" else (consumers_main, 3)
    assert words[:start] in (["strongbox"], ["python", "-m", "consumers"])
    told = CliRunner().invoke(command, [*words[start:], "--help"])
    assert told.exit_code == 0, told.output
    assert " ".join(words[start:]) in told.output.partition("\n")[0]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_may_reach_what_its_settings_name(name: str) -> None:
    policies = [one["spec"] for one in kind("NetworkPolicy").values()]
    mine = [spec for spec in policies if selects(spec["podSelector"], WORKLOADS[name])]
    assert any(
        spec["podSelector"] == {} and "ingress" not in spec and "Ingress" in spec["policyTypes"] for spec in mine
    )
    allowed = {port["port"] for spec in mine for rule in spec.get("egress", ()) for port in rule["ports"]}
    settings = load(environment(WORKLOADS[name]))
    needed = {
        urlsplit(url).port or PORTS[urlsplit(url).scheme]
        for setting in NEEDS[name]
        if setting.endswith("_url")
        for url in getattr(settings, setting).split(",")
    }
    assert needed <= allowed
    assert allowed <= needed | {53, 5672}, "more than it needs"


# Each deployment


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_selects_its_pods_and_is_rolled_out_without_a_gap(name: str) -> None:
    spec = DEPLOYMENTS[name]["spec"]
    assert spec["selector"]["matchLabels"] == labels(DEPLOYMENTS[name])
    assert [other for other in WORKLOADS.values() if selects(spec["selector"], other)] == [DEPLOYMENTS[name]]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    for spread in pod(DEPLOYMENTS[name]).get("topologySpreadConstraints", ()):
        assert selects(spread["labelSelector"], DEPLOYMENTS[name])
    assert replicas(name) == 1 or pod(DEPLOYMENTS[name])["topologySpreadConstraints"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_is_given_the_time_that_it_takes_to_end(name: str) -> None:
    before_s = 0
    if hook := container(DEPLOYMENTS[name]).get("lifecycle"):
        word, seconds = hook["preStop"]["exec"]["command"]
        assert word == "sleep"
        before_s = int(seconds)
    grace_s = load(environment(DEPLOYMENTS[name])).shutdown_grace_s
    assert pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"] >= before_s + grace_s + 5
    assert before_s or "ports" not in container(DEPLOYMENTS[name]) or name == "metrics"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_drain_of_a_node_takes_one_pod_at_a_time_and_is_never_blocked(name: str) -> None:
    budgets = [one["spec"] for one in kind("PodDisruptionBudget").values()]
    mine = [spec for spec in budgets if selects(spec["selector"], DEPLOYMENTS[name])]
    if replicas(name) == 1:
        assert mine == []
    else:
        (spec,) = mine
        assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_the_autoscaler_has_the_number_of_pods_to_itself_and_something_to_go_by() -> None:
    (scaler,) = kind("HorizontalPodAutoscaler").values()
    target = DEPLOYMENTS[scaler["spec"]["scaleTargetRef"]["name"]]
    assert target is DEPLOYMENTS["api"]
    assert "replicas" not in target["spec"]
    assert container(target)["resources"]["requests"]["cpu"]
    assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
    (ours,) = read(FOLDER / "example/ours/kustomization.yaml")
    assert all(patch["target"]["name"] in kind(patch["target"]["kind"]) for patch in ours["patches"])
    assert {line.partition("=")[0] for line in ours["configMapGenerator"][0]["literals"]} <= SETTINGS.keys()


@pytest.mark.parametrize("service", kind("Service").values(), ids=lambda service: service["metadata"]["name"])
def test_a_service_leads_to_a_port_that_may_be_called(service: Document) -> None:
    (target,) = [one for one in DEPLOYMENTS.values() if service["spec"]["selector"].items() <= labels(one).items()]
    ports = {port["name"]: port["containerPort"] for port in container(target)["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports.keys()
    rules = [
        rule
        for policy in kind("NetworkPolicy").values()
        if selects(policy["spec"]["podSelector"], target)
        for rule in policy["spec"].get("ingress", ())
    ]
    assert {port["port"] for rule in rules for port in rule["ports"]} == ports.keys()
    settings = load(environment(target))
    assert [*ports.values()] == [settings.http_port if target is DEPLOYMENTS["api"] else settings.metrics_port]
    annotations = target["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(*ports.values())


# What they say, run


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
                for name, port in (("api", ports["http"]), ("metrics", ports["metrics"])):
                    answer = await client.get(f"http://127.0.0.1:{port}{annotations[name]['prometheus.io/path']}")
                    assert answer.status_code == 200
            for child in running.values():
                child.send_signal(signal.SIGTERM)
            for name, child in running.items():
                limit_s = pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"]
                assert await asyncio.to_thread(child.wait, limit_s) == 0, name
    assert "Traceback" not in (tmp_path / "log").read_text()


# The manual


def test_the_connections_of_the_manual_are_those_of_the_code() -> None:
    told = (ROOT / "docs/kubernetes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|$", told, re.MULTILINE)
    pools = [Container.starting_pool, Container.reading_pool, Container.finishing_pool, Container.upkeep_pool]
    sizes = [int(pool.args[-1]) for pool in pools]
    each = {"api": sum(sizes), "relay": LANES + 2, "recover": sum(sizes[2:]), "metrics": 2, "audit": 1}
    # One more than there are while a new version is rolled out.
    assert rows == [
        (name, str(each[name]), str(replicas(name)), str(each[name] * (replicas(name) + 1))) for name in each
    ]
    total = sum(int(row[3]) for row in rows)
    assert f"**{total}**" in told
    (limit,) = re.findall(r"max_connections = (\d+)", told)
    assert int(limit) >= total + 20
