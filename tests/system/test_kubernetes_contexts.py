"""Whether each context has its processes in the manifests, and who chooses fewer contexts gets on without the rest."""

import re

import pytest

from app.main.contexts import CONTEXTS, load, of
from app.platform.process.settings import entries
from tests.system.documents import ROOT
from tests.system.kubernetes import OPTIONAL, without
from tests.system.kubernetes.needs import NEEDS
from tests.system.kubernetes.patches import Document
from tests.system.kubernetes.workloads import (
    DEPLOYMENTS,
    DOCUMENTS,
    SECRET,
    WORKLOADS,
    container,
    environment,
    kind,
    pod,
)

MANUAL = (ROOT / "docs/kubernetes.md").read_text()
OF_ALL = {"migrate", "api", "relay", "recover", "metrics", "audit"}
"""Whatever contexts there are."""
OF_SECRETS = {"webhooks": SECRET["webhooks"], "identity": {"JWT_KEYS"}, "chain": SECRET["chain"] | SECRET["node"]}
"""Settings that whoever does without a context has not."""


def of_context() -> dict[str, str]:
    """The workloads that are one context's alone, with the context's name."""
    found = {"reconcile": "reconciliation"}
    for context in CONTEXTS:
        found |= {worker.name: context.name for worker in context.workers}
        found |= {consumer.name: context.name for consumer in context.consumers}
    return found


def test_every_process_of_a_context_has_a_workload_and_the_others_are_everybodys() -> None:
    assert WORKLOADS.keys() == OF_ALL | of_context().keys()
    for context in CONTEXTS:
        for worker in context.workers:
            assert container(WORKLOADS[worker.name])["command"] == ["strongbox", worker.name]
            assert set(worker.required) <= set(NEEDS[worker.name])
        for consumer in context.consumers:
            program = ["strongbox"] if consumer.is_worker else ["python", "-m", "consumers"]
            assert container(WORKLOADS[consumer.name])["command"] == [*program, consumer.name]
            assert set(consumer.required) <= set(NEEDS[consumer.name])


def test_api_and_recovery_are_given_what_each_context_requires_of_them() -> None:
    for context in CONTEXTS:
        assert set(context.required) <= set(NEEDS["api"])
        assert not context.recovery or set(context.required) <= set(NEEDS["recover"])


def choices() -> list[tuple[str, set[str], set[str]]]:
    """The lists of contexts that the manual shows, with what is left out by name, and the parts that are applied."""
    rows = re.findall(r"^\| `CONTEXTS=([\w,]+)` \| (.*?)\| (.*?)\|$", MANUAL, re.MULTILINE)
    return [
        (listed, set(re.findall(r"`\.\./\.\./without/(\w+)`", left)), set(re.findall(r"`(\w+)/`", beside)))
        for listed, left, beside in rows
    ]


def chosen(left_out: set[str], parts: set[str]) -> list[Document]:
    """The documents that somebody applies."""
    found = [one for part in ("services", *sorted(parts)) for one in DOCUMENTS[part]]
    for name in sorted(left_out):
        found = without(name, found)
    return found


@pytest.mark.parametrize(("listed", "left_out", "parts"), choices(), ids=[listed for listed, *_ in choices()])
def test_who_chooses_fewer_contexts_has_no_process_that_would_not_start(
    listed: str, left_out: set[str], parts: set[str]
) -> None:
    names = {context.name for context in of(load({"CONTEXTS": listed}))}
    assert names == set(entries(listed))
    running = {one["metadata"]["name"] for one in chosen(left_out, parts) if one["kind"] in ("Deployment", "CronJob")}
    assert running == (OF_ALL - {"migrate"}) | {name for name, context in of_context().items() if context in names}
    absent = {name for context, secrets in OF_SECRETS.items() if context not in names for name in secrets}
    for name in running & {"api", "recover"}:
        given = environment(WORKLOADS[name]) | {"CONTEXTS": listed}
        rest = {key: value for key, value in given.items() if key not in absent}
        on = [context for context in of(load(rest)) if name == "api" or context.recovery]
        load(rest).require("database_url", *(need for context in on for need in context.required))


def test_there_are_such_choices_with_and_without_each_part() -> None:
    found = choices()
    assert {name for _, left_out, _ in found for name in left_out} == set(OPTIONAL)
    assert {part for _, _, parts in found for part in parts} <= {"cashback"}
    assert len(found) >= 3


@pytest.mark.parametrize("name", OPTIONAL)
def test_what_is_left_out_is_a_workload_and_all_that_is_about_it(name: str) -> None:
    documents = DOCUMENTS["services"]
    gone = [one for one in documents if one not in without(name, documents)]
    (workload,) = [one for one in gone if one["kind"] in ("Deployment", "CronJob")]
    assert of_context()[workload["metadata"]["name"]] == name
    budgets = [one for one in kind("PodDisruptionBudget") if one == workload["metadata"]["name"]]
    assert [one["metadata"]["name"] for one in gone if one["kind"] == "PodDisruptionBudget"] == budgets
    assert len(gone) == 1 + len(budgets)


@pytest.mark.parametrize("name", ["webhooks", "jwt-keys", "chain", "chain-tls"])
def test_the_api_starts_without_the_secrets_of_contexts_that_are_not_there(name: str) -> None:
    api = DEPLOYMENTS["api"]
    sources = [each["secretRef"] for each in container(api)["envFrom"] if "secretRef" in each]
    volumes = [each["secret"] for each in pod(api)["volumes"] if "secret" in each]
    (found,) = [one for one in (*sources, *volumes) if name in (one.get("name"), one.get("secretName"))]
    assert found["optional"] is True
    assert name in SECRET
