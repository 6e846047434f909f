"""Whether the manifests of deploy/kubernetes fit each other, the settings and the commands.

Whether they are manifests at all is for their schemas to say: `make manifests`.
"""

import re
import tomllib
from itertools import takewhile
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from app.contexts.chain.settings import ChainSettings
from app.contexts.identity.adapters.jwt import key_set
from app.main.cli import main
from app.main.contexts import CONTEXTS, load
from app.platform.process.loading import all_settings
from consumers.cli import main as consumers_main
from tests.system.kubernetes import ADAPTER, FOLDER, ROOT, read
from tests.system.kubernetes.needs import CALLS_STRANGERS, NEEDS, READS_FILES
from tests.system.kubernetes.patches import Document
from tests.system.kubernetes.workloads import (
    DEPLOYMENTS,
    DOCUMENTS,
    SECRET,
    SETTINGS,
    WORKLOADS,
    container,
    environment,
    kind,
    labels,
    pod,
    replicas,
    selects,
)

PORTS = {"postgresql": 5432, "amqp": 5672, "amqps": 5671, "rediss": 6379, "https": 443}

# The files


def test_every_file_is_part_of_a_kustomization_and_nothing_has_the_name_of_another() -> None:
    used = {FOLDER / "secrets.example.yaml", ADAPTER, *FOLDER.rglob("kustomization.yaml")}
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
        **({"fsGroup": int(uid)} if name in READS_FILES else {}),
    }  # fmt: skip
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    mounts = {mount["mountPath"]: mount["name"] for mount in one["volumeMounts"]}
    assert mounts == {"/tmp": "tmp"} | READS_FILES.get(name, {})
    assert [*mounts.values()] == [volume["name"] for volume in spec["volumes"]]
    assert re.search(r"^ENV .*HEARTBEAT_DIR=/tmp", (ROOT / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE)
    assert {"cpu", "memory"} == one["resources"]["requests"].keys()
    assert one["resources"]["limits"].keys() == {"memory"}  # held to less processor time it would only be slow


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pods_environment_is_settings_that_its_process_takes(name: str) -> None:
    given = environment(WORKLOADS[name])
    assert given.keys() <= {setting.name for setting in all_settings(CONTEXTS)}
    load(given).require(*NEEDS[name])
    others = {secret for secret in SECRET if not (SECRET[secret].keys() & given.keys())}
    for secret in SECRET.keys() - others:  # no secret that it has no use for
        without = {key: value for key, value in given.items() if key not in SECRET[secret]}
        with pytest.raises(Exception, match="is not set"):
            load(without).require(*NEEDS[name])


def test_the_keys_are_files_of_a_secret_that_only_the_api_reads() -> None:
    (volume,) = [one for one in pod(DEPLOYMENTS["api"])["volumes"] if one["name"] == "jwt-keys"]
    assert volume["secret"] == {"secretName": "jwt-keys", "optional": True, "defaultMode": 0o440}
    (file,) = SECRET["jwt-keys"]
    assert environment(DEPLOYMENTS["api"])["JWT_KEYS"] == f"/run/strongbox/{file}"
    key_set.parse(SECRET["jwt-keys"][file].encode())


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pods_command_exists(name: str) -> None:
    words = container(WORKLOADS[name])["command"]
    command, start = (main, 1) if words[0] == "strongbox" else (consumers_main, 3)
    assert words[:start] in (["strongbox"], ["python", "-m", "consumers"])
    told = CliRunner().invoke(command, [*words[start:], "--help"])
    assert told.exit_code == 0, told.output
    named = [*takewhile(lambda word: not word.startswith("-"), words[start:])]
    assert " ".join(named) in told.output.partition("\n")[0]


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
        for url in settings.text(setting.upper()).split(",")
    }
    needed |= CALLS_STRANGERS.get(name, set())
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
    has_clients = any(port["name"] in ("http", "grpc") for port in container(DEPLOYMENTS[name]).get("ports", ()))
    assert before_s or not has_clients


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_prometheus_is_told_of_a_port_on_which_the_process_shows_its_metrics(name: str) -> None:
    annotations = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["annotations"]
    settings = load(environment(DEPLOYMENTS[name]))
    shown = {
        "api": settings.http_port,
        "metrics": settings.metrics_port,
        "relay": settings.relay_metrics_port,
        "recover": settings.port("recover_metrics_port"),
        "audit": settings.consumer_metrics_port,
        "rewards": settings.port("rewards_metrics_port"),
        "webhooks": settings.port("webhooks_metrics_port"),
        "mint": settings.port("mint_metrics_port"),
        "chain": settings.port("chain_metrics_port"),
    }
    assert annotations["prometheus.io/port"] == str(shown[name])
    assert shown[name] in [port["containerPort"] for port in container(DEPLOYMENTS[name])["ports"]]


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
    served = {
        "http": settings.http_port, "grpc": settings.of(ChainSettings).chain_grpc_port,
        "metrics": int(target["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]),
    }  # fmt: skip
    assert ports == {name: served[name] for name in ports}
