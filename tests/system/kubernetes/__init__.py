"""The manifests of deploy/kubernetes, put together as kustomize does it, as far as they need it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.system.kubernetes.patches import Document, patched

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "deploy/kubernetes"
PARTS: Final = ("migrate", "services", "cashback")
AUTOSCALED: Final = ("services", "cashback")
"""Of them those that there are autoscaled as well, in the folder of that name."""
OPTIONAL: Final = ("webhooks", "reconciliation")
"""What a folder of `without` leaves out."""
SECRETS: Final = FOLDER / "secrets.example.yaml"
ADAPTER: Final = FOLDER / "autoscaled/adapter.yaml"
_KNOWN: Final = {"apiVersion", "kind", "namespace", "resources", "patches", "configMapGenerator"}


def read(file: Path) -> list[Document]:
    """The documents of a file."""
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def assembled(folder: Path) -> Iterator[Document]:
    """The documents that a kustomization brings; the names of config maps are without their digests."""
    (kustomization,) = read(folder / "kustomization.yaml")
    assert kustomization.keys() <= _KNOWN, folder
    yield from patched(_resources(folder, kustomization), kustomization.get("patches", ()))
    for generator in kustomization.get("configMapGenerator", ()):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": generator["name"]},
            "data": dict(pair for file in generator["envs"] for pair in _pairs(folder / file)),
        }


def without(part: str, documents: list[Document]) -> list[Document]:
    """What is left of the documents where a component of that name leaves something out."""
    (component,) = read(FOLDER / "without" / part / "kustomization.yaml")
    assert component["kind"] == "Component"
    assert component.keys() == {"apiVersion", "kind", "patches"}
    return patched(documents, component["patches"])


def _resources(folder: Path, kustomization: dict[str, Any]) -> Iterator[Document]:
    for resource in kustomization["resources"]:
        path = (folder / resource).resolve()
        yield from assembled(path) if path.is_dir() else read(path)


def _pairs(file: Path) -> Iterator[list[str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("=", 1)
