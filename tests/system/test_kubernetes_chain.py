"""Whether the manifests give the key that mints to the adapter alone, and the adapter to who asks it."""

from pathlib import Path

import pytest

from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.settings import ChainSettings
from app.main.contexts import load
from tests.system.kubernetes.needs import NEEDS, READS_FILES
from tests.system.kubernetes.workloads import (
    DEPLOYMENTS,
    OWN,
    SECRET,
    WORKLOADS,
    container,
    environment,
    kind,
    pod,
    selects,
)

TLS = {"CHAIN_TLS_CERT": "tls.crt", "CHAIN_TLS_KEY": "tls.key", "CHAIN_TLS_CA": "ca.crt"}


def test_the_key_that_mints_is_a_file_of_a_secret_that_only_the_adapter_reads(tmp_path: Path) -> None:
    holders = {name for name, one in WORKLOADS.items() if "chain-key" in str(pod(one)["volumes"])}
    assert holders == {"chain"}
    (volume,) = [one for one in pod(DEPLOYMENTS["chain"])["volumes"] if one["name"] == "chain-key"]
    assert volume["secret"] == {"secretName": "chain-key", "defaultMode": 0o440}
    (file,) = SECRET["chain-key"]
    assert environment(DEPLOYMENTS["chain"])["CHAIN_KEY_FILE"] == f"/run/strongbox/{file}"
    held = tmp_path / file
    held.touch(0o600)
    held.write_text(SECRET["chain-key"][file])
    key_in(held)


@pytest.mark.parametrize("name", [name for name in READS_FILES if "chain" in str(READS_FILES[name])])
def test_who_asks_the_adapter_believes_its_authority_and_has_not_the_key_of_its_certificate(name: str) -> None:
    given, one = environment(DEPLOYMENTS[name]), DEPLOYMENTS[name]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(one)["volumeMounts"]}
    (volume,) = [each for each in pod(one)["volumes"] if each.get("secret", {}).get("secretName") == "chain-tls"]
    shown = [item["path"] for item in volume["secret"].get("items", ())] or [*SECRET["chain-tls"]]
    files = {setting: Path(given[setting]) for setting in TLS.keys() & given.keys()}
    assert files == {setting: Path(mounts[volume["name"]]) / TLS[setting] for setting in files}
    assert {file.name for file in files.values()} <= set(shown)
    if name != "chain":
        assert shown == ["ca.crt"]
        endpoint = load(given).of(ChainSettings).endpoint
        (port,) = kind("Service")["chain"]["spec"]["ports"]
        assert (endpoint.is_tls, endpoint.target) == (True, f"chain:{port['port']}")


def test_only_who_asks_it_comes_near_the_adapter() -> None:
    (policy,) = [
        one["spec"]
        for one in kind("NetworkPolicy").values()
        if "Ingress" in one["spec"]["policyTypes"] and one["spec"]["podSelector"].get("matchLabels")
        and selects(one["spec"]["podSelector"], DEPLOYMENTS["chain"])
    ]  # fmt: skip
    (rule,) = policy["ingress"]
    (callers,) = rule["from"]
    may = {name for name, one in WORKLOADS.items() if selects(callers["podSelector"], one)}
    assert may == {name for name, needs in NEEDS.items() if "chain_grpc_url" in needs}
    assert rule["ports"] == [{"protocol": "TCP", "port": "grpc"}]


def test_who_gives_no_cashback_needs_no_secret_of_the_chain() -> None:
    """Of the services none waits for one: they start without."""
    of_the_chain = {"node", "chain", "chain-key", "chain-tls"}
    for one in (DEPLOYMENTS[document["metadata"]["name"]] for document in OWN["services"]):
        sources = [each["secretRef"] for each in container(one)["envFrom"] if "secretRef" in each]
        volumes = [each["secret"] for each in pod(one)["volumes"] if "secret" in each]
        named = [*sources, *({"name": each["secretName"], **each} for each in volumes)]
        assert all(each.get("optional") for each in named if each["name"] in of_the_chain)
