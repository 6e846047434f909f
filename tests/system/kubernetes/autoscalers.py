"""The autoscalers of what is autoscaled, and the adapter's rules by which they hear of metrics of pods."""

from typing import Any, Final

from tests.system.kubernetes import ADAPTER, AUTOSCALED, FOLDER, assembled, read
from tests.system.kubernetes.patches import Document

AUTOSCALERS: Final = {
    one["spec"]["scaleTargetRef"]["name"]: one
    for part in AUTOSCALED
    for one in assembled(FOLDER / "autoscaled" / part)
    if one["kind"] == "HorizontalPodAutoscaler"
}
"""By the deployment that each is for."""


def _series(rule: dict[str, Any]) -> str:
    return str(rule["seriesQuery"].partition("{")[0])


RULES: Final = {rule.get("name", {}).get("as", _series(rule)): rule for rule in read(ADAPTER)[0]["rules"]}
"""By the metric that each makes."""


def shown_as(metric: str) -> str:
    """The series that the pods show, of which the metric is made."""
    return _series(RULES[metric])


def by_pods(scaler: Document) -> list[dict[str, Any]]:
    """The metrics of pods that an autoscaler goes by: names, and targets."""
    return [one["pods"] for one in scaler["spec"]["metrics"] if one["type"] == "Pods"]
