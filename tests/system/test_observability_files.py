"""The files for Prometheus and Grafana: whether their own tools take them, and whether they fit together."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.prometheus import DEPLOYED, ROOT, promtool

ALERTS: list[dict[str, Any]] = yaml.safe_load((DEPLOYED / "alerts.yml").read_text())["groups"][0]["rules"]
JOBS = {job["job_name"] for job in yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["scrape_configs"]}
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_promtool_takes_configuration_and_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "config", "prometheus.yml")


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_is_tested_both_ways() -> None:
    tests = yaml.safe_load((DEPLOYED / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    names = {alert["alert"] for alert in ALERTS}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_every_alert_says_how_bad_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "description", "runbook"} == set(alert["annotations"])
    assert alert["annotations"]["runbook"] == f"docs/runbook.md#{alert['alert'].lower()}"
    section = RUNBOOK.partition(f"\n## {alert['alert']}\n")[2].partition("\n## ")[0]
    for part in ("Means", "Users feel", "Look", "Do", "Over"):
        assert f"**{part}**" in section, part
    assert f"| [{alert['alert']}](#{alert['alert'].lower()}) | {alert['labels']['severity']} |" in RUNBOOK


def test_the_runbook_has_no_alert_that_is_none() -> None:
    assert set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)) == {alert["alert"] for alert in ALERTS}


def test_rules_and_dashboard_name_jobs_that_are_scraped() -> None:
    dashboard = (DEPLOYED.parent / "grafana/dashboards/strongbox.json").read_text()
    text = dashboard + (DEPLOYED / "alerts.yml").read_text()
    assert set(re.findall(r'job=\\?"(strongbox-[\w-]+)', text)) <= JOBS


def test_compose_gives_prometheus_the_ports_that_it_scrapes() -> None:
    services = COMPOSE["services"]
    ports = {
        "api": 8080,
        "metrics-consumer": 9101,
        "relay": int(services["relay"]["environment"]["RELAY_METRICS_PORT"]),
        "recover": int(services["recover"]["environment"]["RECOVER_METRICS_PORT"]),
        "audit-consumer": int(services["audit-consumer"]["environment"]["CONSUMER_METRICS_PORT"]),
        "rewards-consumer": int(services["rewards-consumer"]["environment"]["REWARDS_METRICS_PORT"]),
        "webhooks": int(services["webhooks"]["environment"]["WEBHOOKS_METRICS_PORT"]),
        "mint-consumer": int(services["mint-consumer"]["environment"]["MINT_METRICS_PORT"]),
        "chain": int(services["chain"]["environment"]["CHAIN_METRICS_PORT"]),
    }
    scraped = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["scrape_configs"]
    targets = [target for job in scraped for each in job["static_configs"] for target in each["targets"]]
    assert sorted(targets) == sorted(f"{name}:{port}" for name, port in ports.items())


def test_compose_starts_prometheus_and_grafana_by_the_profile_only() -> None:
    by_profile = {name for name, service in COMPOSE["services"].items() if "profiles" in service}
    assert by_profile == {"prometheus", "grafana"}
    for name in by_profile:
        service = COMPOSE["services"][name]
        assert service["profiles"] == ["observability"]
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_the_dashboard_is_where_grafana_looks_and_asks_the_source_that_it_has() -> None:
    grafana = DEPLOYED.parent / "grafana"
    (source,) = yaml.safe_load((grafana / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((grafana / "provisioning/dashboards/strongbox.yml").read_text())["providers"]
    mounted = dict(volume.split(":")[:2] for volume in COMPOSE["services"]["grafana"]["volumes"])
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    dashboard = json.loads((grafana / "dashboards/strongbox.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
