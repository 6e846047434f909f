"""Whether what the manual of Kubernetes counts on is what the manifests and the code have."""

import re

from app.main.contexts import load
from app.main.house import House
from app.main.relay import CONNECTIONS
from app.platform.context import Http
from app.platform.http.inflight import InFlight
from tests.system.kubernetes import ROOT
from tests.system.kubernetes.autoscalers import AUTOSCALERS
from tests.system.kubernetes.workloads import DEPLOYMENTS, environment, pod, replicas


def test_where_the_manual_has_verify_run_there_is_room_for_the_gateways_record() -> None:
    """It goes through a temporary file: where that does not fit the record is not compared, and verify holds."""
    told = (ROOT / "docs/kubernetes.md").read_text()
    (name,) = re.findall(r"`verify` and `payments` belong\s+into\s+`deploy/(\w+)`", told)
    assert "GATEWAY_URL" in environment(DEPLOYMENTS[name])
    (volume,) = pod(DEPLOYMENTS[name])["volumes"]
    assert volume["emptyDir"] == {"sizeLimit": "2Gi"}, "on the node's disk, not in memory"
    assert "2 GiB" in told


def connections() -> dict[str, int]:
    """How many each process opens at the most, by its name."""
    house = made()
    http = Http(InFlight(1.0), frozenset(house.settings.currencies), 1.0, house.people)
    for context in house.contexts:
        if context.operations:
            context.operations(house.container(context.name), http)
        if context.serving:
            context.serving(house.container(context.name))
    recovering = made()
    for context in recovering.contexts:
        if context.recovery:
            context.recovery(recovering.container(context.name), recovering.people)
    relay = CONNECTIONS + 2  # for upkeep, and to look by
    return {
        "api": opened(house),
        "relay": relay,
        "recover": opened(recovering),
        "metrics": 2,
        "audit": 1,
        "webhooks": of_webhooks(),
        **of_cashback(),
    }


def test_the_connections_of_the_manual_are_those_of_the_code() -> None:
    told = (ROOT / "docs/kubernetes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \|$", told, re.MULTILINE)
    each = connections()
    # One more than there are while a new version is rolled out.
    assert rows == [
        (name, str(each[name]), str(replicas(name)), str(each[name] * (replicas(name) + 1))) for name in each
    ]
    total = sum(int(row[3]) for row in rows)
    assert f"**{total}**" in told
    limit, _ = re.findall(r"max_connections = (\d+)", told)
    assert int(limit) >= total + 20
    several = (ROOT / "docs/how-to/several.md").read_text()
    counted = "Each API process opens up to {api}, each relay {relay}, each recovery {recover}"
    assert counted.format_map(each) in several
    assert f"the sender of webhooks {each['webhooks']}," in operations()
    cashback = "the rewards consumer {rewards}, the mint consumer {mint}, `chain` {chain},".format_map(each)
    assert "`recover` up to {recover}, `relay` up to {relay},".format_map(each) in operations()
    assert cashback in operations()
    assert f"`api` opens up to {each['api']} connections in each process" in operations()
    assert f"each API process takes up to {each['api']}." in (ROOT / "docs/runbook.md").read_text()


def test_as_many_as_autoscalers_may_want_have_connections_too() -> None:
    told = (ROOT / "docs/kubernetes.md").read_text()
    most = {name: AUTOSCALERS[name]["spec"]["maxReplicas"] for name in AUTOSCALERS}
    total = sum(each * (most.get(name, replicas(name)) + 1) for name, each in connections().items())
    more = ", ".join(f"{most[name]} of `{name}`" for name in ("relay", "webhooks", "rewards"))
    assert f"up to {more}: **{total}**" in told
    _, limit = re.findall(r"max_connections = (\d+)", told)
    assert int(limit) >= total + 20
    assert replicas("api") == most["api"]


def operations() -> str:
    """The operator's manual, in one line."""
    return " ".join((ROOT / "docs/operations.md").read_text().split())


def of_webhooks() -> int:
    """The same of those who send. Beside their pools they have one to ask for orders with."""
    house = made()
    for consumer in (one for context in house.contexts if context.name == "webhooks" for one in context.consumers):
        consumer.work(house.container("webhooks"), False)  # noqa: FBT003 -- not in the relay's process
    return grown(house) + 1


def of_cashback() -> dict[str, int]:
    """The same of the consumers and of the adapter. Beside their pools consumers have one that cleans their inbox."""
    rewards, chain = made(), made()
    consumers = [each for context in rewards.contexts if context.name == "rewards" for each in context.consumers]
    for consumer in consumers:
        consumer.work(rewards.container("rewards"), False)  # noqa: FBT003 -- not in the relay's process
    chain.container("chain").pool()
    of_mint = 3  # what is heard, what is pursued, what is looked at
    return {"rewards": grown(rewards) + 1, "mint": of_mint + 1, "chain": grown(chain)}


def grown(house: House) -> int:
    """To how many connections the pools grow that were asked for."""
    return sum(int(pool.max_size) for pool in house.pools)


def made() -> House:
    """A house with all contexts, as a process has it before it opens anything."""
    keys = {"JWT_KEYS": "keys.json", "WEBHOOK_KEY": "of-nobodys-secrets"}
    return House(load({"DATABASE_URL": "host=d", "GATEWAY_URL": "http://127.0.0.1:1"} | keys))


def opened(house: House) -> int:
    """To how many connections the pools grow that were asked for, upkeep's, too, by which outboxes are looked at."""
    assert house.database("payments").upkeep_pool in house.pools
    return grown(house)
