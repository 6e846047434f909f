"""Whether autoscalers go by what there is: by metrics that their pods show, within what the rest can bear."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.contexts.payments.settings import PaymentsSettings
from app.main.contexts import load
from app.platform.postgres.outbox import PARTITIONS
from tests.prometheus import promtool
from tests.system.documents import table
from tests.system.kubernetes import ADAPTER, AUTOSCALED, FOLDER, assembled, read
from tests.system.kubernetes.autoscalers import AUTOSCALERS, RULES, by_pods, shown_as
from tests.system.kubernetes.patches import Document, targets
from tests.system.kubernetes.workloads import DEPLOYMENTS, DOCUMENTS, pod, selects


def scaled(part: str) -> list[Document]:
    """The documents of a part that is autoscaled."""
    return list(assembled(FOLDER / "autoscaled" / part))


@pytest.mark.parametrize("part", AUTOSCALED)
def test_what_is_autoscaled_differs_in_its_autoscalers_and_in_who_says_how_many_there_are(part: str) -> None:
    (kustomization,) = read(FOLDER / "autoscaled" / part / "kustomization.yaml")
    assert all(len(targets(scaled(part), patch)) == 1 for patch in kustomization["patches"])
    before, after = ([_without_numbers(one) for one in documents] for documents in (DOCUMENTS[part], scaled(part)))
    assert [one for one in after if one["kind"] != "HorizontalPodAutoscaler"] == [
        one for one in before if one["kind"] != "HorizontalPodAutoscaler"
    ]
    for one in scaled(part):
        if one["kind"] == "Deployment":
            assert ("replicas" in one["spec"]) == (one["metadata"]["name"] not in AUTOSCALERS)


def _without_numbers(document: Document) -> Document:
    spec = document.get("spec", {})
    return {**document, "spec": {key: value for key, value in spec.items() if key != "replicas"}}


@pytest.mark.parametrize("name", AUTOSCALERS)
def test_there_is_always_one_more_than_a_drain_of_a_node_may_take(name: str) -> None:
    scaler = AUTOSCALERS[name]
    assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert scaler["metadata"]["name"] == name
    least, most = scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]
    part = next(part for part in AUTOSCALED if DEPLOYMENTS[name] in DOCUMENTS[part])
    (budget,) = [
        one["spec"]
        for one in scaled(part)
        if one["kind"] == "PodDisruptionBudget" and selects(one["spec"]["selector"], DEPLOYMENTS[name])
    ]
    assert budget["maxUnavailable"] < least < most


@pytest.mark.parametrize("name", AUTOSCALERS)
def test_pods_are_taken_away_one_by_one_each_with_time_to_finish(name: str) -> None:
    behaviour = AUTOSCALERS[name]["spec"]["behavior"]["scaleDown"]
    (policy,) = behaviour["policies"]
    assert (policy["type"], policy["value"]) == ("Pods", 1)
    grace_s = pod(DEPLOYMENTS[name])["terminationGracePeriodSeconds"]
    assert grace_s < policy["periodSeconds"] < behaviour["stabilizationWindowSeconds"]


def test_no_more_relays_than_there_are_partitions_and_apis_before_their_gate_is_full() -> None:
    assert AUTOSCALERS["relay"]["spec"]["maxReplicas"] <= PARTITIONS
    (in_flight,) = by_pods(AUTOSCALERS["api"])
    assert int(in_flight["target"]["averageValue"]) < load({}).of(PaymentsSettings).gateway_concurrency / 2


# What they go by


def test_the_adapter_knows_what_autoscalers_ask_for_and_nothing_else() -> None:
    asked = {one["metric"]["name"] for scaler in AUTOSCALERS.values() for one in by_pods(scaler)}
    assert asked == RULES.keys()
    assert all(by_pods(scaler) for scaler in AUTOSCALERS.values())


@pytest.mark.parametrize("name", AUTOSCALERS)
def test_the_manual_has_each_metric_as_one_of_the_process_that_is_scaled_by_it(name: str) -> None:
    told = {cells[0]: cells[1] for cells in table("docs/operations.md", "Metrics") if len(cells) == 3}
    for one in by_pods(AUTOSCALERS[name]):
        series = re.sub("_sum$", "", shown_as(one["metric"]["name"]))
        (of,) = [of for metrics, of in told.items() if re.search(rf"`{series}[`{{]", metrics)]
        assert name in of.split(", ")


SERIES = {
    # 400 requests in 10 s, which took 0.5 s each: 20 of them are under way at a time.
    "http_request_duration_seconds_sum": (['{route="/a"}', '{route="/b"}'], "0+100x12", 20.0),
    "strongbox_outbox_lag_seconds": (["{}"], "7x12", 7.0),
    "strongbox_webhooks_late_seconds": (["{}"], "7x12", 7.0),
    "strongbox_consumer_oldest_message_age_seconds": (['{queue="rewards.queue"}'], "7x12", 7.0),
}


@pytest.mark.parametrize("name", RULES)
def test_prometheus_says_for_each_pod_what_the_adapter_asks_it(name: str, tmp_path: Path) -> None:
    ours = 'namespace="strongbox",pod="one"'
    expression = RULES[name]["metricsQuery"]
    for word, text in {"Series": shown_as(name), "LabelMatchers": ours, "GroupBy": "pod"}.items():
        expression = expression.replace(f"<<.{word}>>", text)
    labels, values, expected = SERIES[shown_as(name)]
    pods = [(pod, values if pod == "one" else "0x12") for pod in ("one", "two")]
    series = [
        {"series": _labelled(shown_as(name), f'namespace="strongbox",pod="{pod}"', more), "values": given}
        for pod, given in pods
        for more in labels
    ]
    asked = {"expr": expression, "eval_time": "2m", "exp_samples": [{"labels": '{pod="one"}', "value": expected}]}
    tests = [{"interval": "10s", "input_series": series, "promql_expr_test": [asked]}]
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"evaluation_interval": "10s", "tests": tests}))
    promtool("test", "rules", str(tmp_path / "test.yml"))


def _labelled(series: str, ours: str, more: str) -> str:
    return f"{series}{{{','.join(filter(None, (ours, more.strip('{}'))))}}}"


def test_the_adapter_asks_for_series_of_pods_of_this_namespace_alone() -> None:
    (configuration,) = read(ADAPTER)
    resources: dict[str, Any] = {"overrides": {name: {"resource": name} for name in ("namespace", "pod")}}
    for rule in configuration["rules"]:
        assert rule["seriesQuery"].endswith('{namespace="strongbox",pod!=""}')
        assert rule["resources"] == resources
