"""What kustomize makes of patches, as far as the manifests have some."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

Document = dict[str, Any]


def patched(documents: Iterable[Document], patches: Sequence[Mapping[str, Any]]) -> list[Document]:
    """The documents once they were patched, one patch after the other. A patch that has no target changes nothing."""
    found = list(documents)
    for patch in patches:
        does = yaml.safe_load(patch["patch"])
        for one in targets(found, patch):
            if isinstance(does, list):
                for step in does:
                    _take(one, step)
            else:
                assert does["$patch"] == "delete", "nothing else is merged here"
                found.remove(one)
    return found


def targets(documents: Sequence[Document], patch: Mapping[str, Any]) -> list[Document]:
    """The documents that a patch is for."""
    wanted = patch["target"]["kind"], patch["target"]["name"]
    return [one for one in documents if (one["kind"], one["metadata"]["name"]) == wanted]


def _take(document: Document, step: Mapping[str, Any]) -> None:
    """One step of a JSON patch."""
    *way, last = step["path"].strip("/").split("/")
    at: Any = document
    for name in way:
        at = at[name]
    if step["op"] == "remove":
        del at[last]
    elif (step["op"], last) == ("add", "-"):
        at.append(step["value"])
    else:
        assert step["op"] == "replace"
        assert last in at
        at[last] = step["value"]
