"""The metrics of every process, as Prometheus reads them: named well, told of, and what alerts and dashboard need."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import aio_pika
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.contexts.payments.public import EVENTS
from app.main.local.roles import Urls
from tests.prometheus import DEPLOYED, ROOT, Prometheus, prometheus, promtool
from tests.system.e2e.conftest import measured
from tests.system.e2e.house import House, in_time, wait_until
from tests.system.e2e.people import PASSWORD, machine, somebody
from tests.system.e2e.whole import WholeHouse

DASHBOARD = json.loads((DEPLOYED.parent / "grafana/dashboards/strongbox.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
BY_ROUTE = ("http_requests_total", "http_request_duration_seconds")
PLAIN = ("/metrics", "/healthz", "/readyz", "/openapi.json", "unmatched")
BESIDES = {("OTHER", "malformed"), *(("GET", route) for route in PLAIN)}
PROCESSES = ("api", "relay", "recover", "metrics", "audit", "rewards", "mint", "webhooks", "chain")
NAME = r"\b(?:strongbox|http|process)_[a-z_]+"


def _steps() -> set[str]:
    """The steps that the operator's manual names."""
    (row,) = re.findall(r"^\| `strongbox_batch_size\{.*$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    return set(re.findall(r"`([a-z_]+)`", row))


STEPS = _steps()


def endpoints(house: House) -> dict[str, str]:
    """Where each process shows its metrics."""
    ports = {
        "api": "HTTP_PORT",
        "relay": "RELAY_METRICS_PORT",
        "recover": "RECOVER_METRICS_PORT",
        "metrics": "METRICS_PORT",
        "audit": "CONSUMER_METRICS_PORT",
        "rewards": "REWARDS_METRICS_PORT",
        "mint": "MINT_METRICS_PORT",
        "webhooks": "WEBHOOKS_METRICS_PORT",
        "chain": "CHAIN_METRICS_PORT",
    }
    return {name: f"127.0.0.1:{house.environment[port]}" for name, port in ports.items()}


def scrape(house: House, name: str) -> str:
    return httpx.get(f"http://{endpoints(house)[name]}/metrics").raise_for_status().text


def shown(house: House, name: str, series: str) -> float:
    """The sum of a process's series whose text begins like that."""
    lines = scrape(house, name).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(series))


def families(text: str) -> set[str]:
    """The names of a scrape's metrics, as their TYPE lines have them."""
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def told() -> dict[str, set[str]]:
    """The metrics of each process, as the operator's manual has them."""
    manual = (ROOT / "docs/operations.md").read_text()
    section = manual.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = {name: set() for name in PROCESSES}
    for names, processes in re.findall(r"^\| (`.*?) \| ([a-z, ]+) \|", section, re.MULTILINE):
        for process in found if processes == "all" else processes.split(", "):
            found[process] |= {name.partition("{")[0] for name in re.findall(r"`([^`]+)`", names)}
    return found


@pytest.fixture(scope="module")
def house(module_database: Urls, rabbitmq_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that lets nobody guess passwords for long."""
    folder = tmp_path_factory.mktemp("house")
    with measured(module_database, rabbitmq_url, folder, WholeHouse, RATE_LIMIT_LOGIN="0.01:3") as house:
        yield house


@pytest.fixture(scope="module")
def used(house: House) -> House:
    """The house after a payment of each kind, what people do and look at, and a message that nobody can handle."""
    user = house.wallet(10_000)
    key = str(uuid4())
    assert house.pay(user, 10, key).status_code == 201
    assert house.pay(user, 10, key).headers["Idempotent-Replayed"] == "true"
    assert house.pay(user, 10_001).status_code == 409
    assert house.pay(user, 0).status_code == 400
    house.mode("declined")
    assert house.pay(user, 10).status_code == 201
    house.mode("500", charge="never")
    assert house.pay(user, 10).status_code == 502
    house.mode("happy")
    people_come(house)
    assert httpx.get(f"{house.api_url}/v1/categories").status_code == 200  # by the cache
    asyncio.run(publish_nonsense(house))
    return house


def people_come(house: House) -> None:
    """Somebody is sent money by somebody; a password is guessed until no more guesses are taken."""
    alice, bob = somebody(house), somebody(house)
    till = machine(house, "wallet:receive")
    assert till.receive(alice.id, 100).status_code == 201
    assert alice.send(bob.id, 40).status_code == 201
    guess = {"email": "mallory@example.com", "password": PASSWORD}
    answers = [httpx.post(f"{house.api_url}/v1/auth/login", json=guess).status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]


async def publish_nonsense(house: House) -> None:
    async with await aio_pika.connect(house.environment["RABBITMQ_URL"]) as connection:
        exchange = await (await connection.channel()).get_exchange(EVENTS.name)
        await exchange.publish(aio_pika.Message(b"nonsense"), "refund.nonsense")


@pytest.fixture(scope="module")
def server(used: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {f"strongbox-{name}": where for name, where in endpoints(used).items()}
    with prometheus(targets, tmp_path_factory.mktemp("prometheus")) as server:
        yield server


def becomes(house: House, name: str, series: str, figure: float) -> None:
    """Wait until a process shows that: it counts after it has answered, and looks at what others do now and then."""
    wait_until(lambda: shown(house, name, series) == figure, f"{series} of {name} to be {figure:g}")


def test_the_payments_are_counted_by_how_they_ended(used: House) -> None:
    becomes(used, "api", 'strongbox_payments_settled_total{failure_code="",status="APPROVED"}', 1)
    becomes(used, "api", 'strongbox_payments_settled_total{failure_code="",status="DECLINED"}', 1)
    becomes(used, "api", 'strongbox_payments_settled_total{failure_code="GATEWAY_ERROR"', 1)
    becomes(used, "api", "strongbox_idempotent_replays_total", 1)
    answers = 'strongbox_error_answers_total{code="%s",route="/wallets/{user_id}/payments"}'
    for code in ("INSUFFICIENT_FUNDS", "VALIDATION_ERROR", "GATEWAY_ERROR"):
        becomes(used, "api", answers % code, 1)
    assert shown(used, "api", 'strongbox_gateway_attempts_total{operation="charge",outcome="error"}') >= 1
    becomes(used, "relay", 'strongbox_relay_events_total{result="published"}', 8 + 2 + 2)  # payments, transfers, people
    becomes(used, "relay", "strongbox_relay_partitions_held", 16 * 10)  # of each context's outbox


def test_a_message_that_nobody_can_handle_is_seen_where_it_lies(used: House) -> None:
    becomes(used, "relay", 'strongbox_queue_messages{queue="audit.dlq"}', 1)
    becomes(used, "audit", 'strongbox_consumer_dead_letters_total{queue="audit.queue"}', 1)
    becomes(used, "audit", 'strongbox_consumer_retries_total{queue="audit.queue"}', 3)
    becomes(used, "relay", 'strongbox_queue_consumers{queue="audit.queue"}', 1)


@pytest.mark.parametrize("name", PROCESSES)
def test_promtool_finds_nothing_to_complain_of(used: House, name: str) -> None:
    assert promtool("check", "metrics", given=scrape(used, name)) == ""


@pytest.mark.parametrize("name", PROCESSES)
def test_the_manual_has_every_metric_and_no_other(used: House, name: str) -> None:
    assert families(scrape(used, name)) == told()[name]


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_says_what_it_is_and_takes_and_makes_few_series(used: House, name: str) -> None:
    text = scrape(used, name)
    assert {"strongbox_build_info", "process_cpu_seconds_total", "process_resident_memory_bytes"} <= families(text)
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    # Most are the two histograms of steps, which are few: the manual names them.
    steps = {sample.labels["step"] for sample in samples if sample.name.startswith("strongbox_batch_")}
    assert steps <= STEPS
    series = Counter("step" if sample.labels.get("step") in steps else sample.name for sample in samples)
    assert series.pop("step", 0) <= 27 * len(steps)
    by_route = sum(count for name, count in series.items() if name.startswith(BY_ROUTE))
    assert series.total() - by_route < 300, series


def test_of_requests_there_are_series_for_what_the_api_serves_and_nothing_that_a_client_makes_up(used: House) -> None:
    """Each operation that was asked for has a histogram of 16 series: the contract bounds them, not who asks."""
    for nonsense in range(20):
        assert httpx.get(f"{used.api_url}/made/up/{nonsense}").status_code == 404
        assert httpx.request(f"MADE{nonsense}", f"{used.api_url}/readyz").status_code == 400
    becomes(used, "api", 'http_requests_total{method="GET",route="unmatched",status="404"}', 20)
    becomes(used, "api", 'http_requests_total{method="OTHER",route="malformed",status="400"}', 20)
    served = {
        (method.upper(), path)
        for path, operations in httpx.get(f"{used.api_url}/openapi.json").json()["paths"].items()
        for method in operations
    }
    timed = [
        (sample.labels["method"], sample.labels["route"])
        for family in text_string_to_metric_families(scrape(used, "api"))
        for sample in family.samples
        if family.name == "http_request_duration_seconds"
    ]
    assert set(timed) - served - BESIDES == set()
    assert max(Counter(timed).values()) <= 16


def test_every_metric_that_rules_and_dashboard_name_is_scraped(used: House) -> None:
    named = set(re.findall(NAME, (DEPLOYED / "alerts.yml").read_text() + json.dumps(DASHBOARD)))
    scraped = set().union(*(families(scrape(used, name)) for name in endpoints(used)))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in named} - scraped == set()


def test_a_real_prometheus_reaches_every_process_and_takes_every_rule(server: Prometheus) -> None:
    wait_until(lambda: len(server.query("up == 1")) == len(PROCESSES), "all targets to be up")
    wait_until(lambda: all(rule["health"] == "ok" for rule in server.rules()), "every rule to be evaluated")
    wait_until(lambda: states_of(server)["StrongboxDeadLetters"] != "inactive", "the dead letter to be noticed")
    states = states_of(server)
    # Where the machine stood still, the minute is over after which it fires.
    assert {name for name, state in states.items() if state == "firing"} <= {"StrongboxDeadLetters"}, states


def states_of(server: Prometheus) -> dict[str, str]:
    return {rule["name"]: rule["state"] for rule in server.rules()}


def test_every_panel_shows_something(server: Prometheus) -> None:
    """With a minute for what Grafana would fill in. The quantile of what has not happened is NaN, not nothing."""

    def all_have_series() -> None:
        asked = {expression: server.query(expression.replace("$__rate_interval", "1m")) for expression in EXPRESSIONS}
        assert [expression for expression, series in asked.items() if not series] == []

    in_time(all_have_series)
