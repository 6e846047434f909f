"""The manifests of deploy/kubernetes, put together as kustomize does it, as far as they need it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "deploy/kubernetes"
PARTS: Final = ("migrate", "services", "cashback")
SECRETS: Final = FOLDER / "secrets.example.yaml"

Document = dict[str, Any]


def read(file: Path) -> list[Document]:
    """The documents of a file."""
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def assembled(folder: Path) -> Iterator[Document]:
    """The documents that a kustomization brings; the names of config maps are without their digests."""
    (kustomization,) = read(folder / "kustomization.yaml")
    assert kustomization.keys() <= {"apiVersion", "kind", "namespace", "resources", "configMapGenerator"}, folder
    for resource in kustomization["resources"]:
        path = (folder / resource).resolve()
        yield from assembled(path) if path.is_dir() else read(path)
    for generator in kustomization.get("configMapGenerator", ()):
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": generator["name"]},
            "data": dict(pair for file in generator["envs"] for pair in _pairs(folder / file)),
        }


def _pairs(file: Path) -> Iterator[list[str]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("=", 1)
