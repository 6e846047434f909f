"""What the manifests say of each process."""

from collections.abc import Mapping
from typing import Any

from tests.system.kubernetes import FOLDER, PARTS, SECRETS, assembled, read
from tests.system.kubernetes.patches import Document

DOCUMENTS = {part: list(assembled(FOLDER / part)) for part in PARTS}
_SHARED = {(one["kind"], one["metadata"]["name"]) for one in assembled(FOLDER / "common")}
ALL = [
    *DOCUMENTS["services"],
    *(
        one
        for part in PARTS
        for one in DOCUMENTS[part]
        if part != "services" and (one["kind"], one["metadata"]["name"]) not in _SHARED
    ),
]
"""What they share is there once."""
WORKLOADS = {one["metadata"]["name"]: one for one in ALL if one["kind"] in ("Deployment", "Job", "CronJob")}
DEPLOYMENTS = {name: one for name, one in WORKLOADS.items() if one["kind"] == "Deployment"}
OWN = {part: [one for one in DOCUMENTS[part] if one["kind"] == "Deployment"] for part in PARTS}
SECRET = {one["metadata"]["name"]: one["stringData"] for one in read(SECRETS)}
(SETTINGS,) = [one["data"] for one in ALL if one["kind"] == "ConfigMap"]


def kind(name: str) -> dict[str, Document]:
    """The documents of a kind, by name."""
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == name}


def _template(workload: Document) -> dict[str, Any]:
    """What its pods are made by; of a CronJob those of its jobs."""
    found: dict[str, Any] = workload["spec"].get("jobTemplate", workload)["spec"]["template"]
    return found


def pod(workload: Document) -> dict[str, Any]:
    """What a workload says of its pods."""
    found: dict[str, Any] = _template(workload)["spec"]
    return found


def container(workload: Document) -> dict[str, Any]:
    """A pod's only container."""
    (found,) = pod(workload)["containers"]
    assert isinstance(found, dict)
    return found


def labels(workload: Document) -> dict[str, str]:
    """The labels of a workload's pods."""
    found: dict[str, str] = _template(workload)["metadata"]["labels"]
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
    return found | {one["name"]: one["value"] for one in container(workload).get("env", ())}


def probes(workload: Document) -> dict[str, dict[str, Any]]:
    """A container's probes, by their names in the manifest."""
    return {name: probe for name, probe in container(workload).items() if name.endswith("Probe")}


def replicas(name: str) -> int:
    """How many there are at the most, when nothing is rolled out."""
    scaled = {one["spec"]["scaleTargetRef"]["name"]: one["spec"] for one in kind("HorizontalPodAutoscaler").values()}
    return int(scaled[name]["maxReplicas"] if name in scaled else DEPLOYMENTS[name]["spec"]["replicas"])
