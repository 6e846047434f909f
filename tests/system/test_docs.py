"""Whether the documents say what the project does: links, settings, commands, errors, checks, and events."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from app.adapters.http.errors import STATUS
from app.adapters.postgres.documents import document
from app.adapters.postgres.integrity_queries import QUERIES
from app.domain.events import Event, EventType, created, refunded, settled
from app.domain.ids import EventId, TransactionId
from app.domain.payments.provider import Approved, Declined, FailureCode, Voided
from app.main.cli import main
from app.main.settings import Settings
from consumers.__main__ import main as consumers_main
from tests.builders import NOON, payment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SITE = ROOT / "docs/site"  # how the site is made of the others
SCHEMAS: dict[str, dict[str, Any]] = {
    schema["$id"]: schema
    for schema in (json.loads(path.read_text()) for path in (ROOT / "docs/schemas").glob("*.json"))
}


def prose(text: str) -> str:
    """A document without its code blocks, whose brackets are not links."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def targets(text: str) -> list[str]:
    """What a document links to, and the pictures that it shows."""
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'\bsrc(?:set)?="([^"]+)"', text)


def anchors(path: Path) -> set[str]:
    """The places in a document that a link may name, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(heading: str) -> Iterator[list[str]]:
    """The rows of the only table under a heading of the README, cell by cell, without its head."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    for row in rows[2:]:
        yield [cell.strip() for cell in row.split("|")[1:-1]]


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command below this one, as it is typed."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, (*words, name))
    else:
        yield " ".join(words)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in targets(prose(path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(linked), target


def test_every_document_is_linked_from_another() -> None:
    linked = {
        (path.parent / target.partition("#")[0]).resolve() for path in DOCUMENTS for target in targets(path.read_text())
    }
    files = {path.resolve() for path in (ROOT / "docs").rglob("*") if path.is_file() and SITE not in path.parents}
    assert files - linked == set()


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    site = yaml.safe_load((ROOT / "docs/site/mkdocs.yml").read_text())
    named = {entry for entry in leaves(site["nav"]) if not entry.endswith(".json.md")}
    made = {"overview.md", "openapi.md", "decisions/"}  # the README, the API's reference, and every record
    pages = {str(path.relative_to(ROOT / "docs")) for path in DOCUMENTS[1:] if path.parent.name != "decisions"}
    assert named == pages | made


def leaves(nav: Any) -> Iterator[str]:
    """The pages of a navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for child in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(child)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_no_folder_of_any_machine(path: Path) -> None:
    named = re.findall(r"(?<![\w.}])/(?:work|root|tmp|home|Users)/\S*", path.read_text())
    assert named == []


def test_the_configuration_table_is_that_of_the_settings() -> None:
    told = {name.strip("`"): default.strip("`") for name, default, _ in table("Configuration")}
    defaults = {name: str(msgspec.to_builtins(value)) for name, value in msgspec.to_builtins(Settings()).items()}
    assert told == {
        name: value.lower() if value in ("True", "False") else value.removesuffix(".0")
        for name, value in defaults.items()
    }


def test_the_page_on_rotation_has_every_setting_with_a_secret_in_it() -> None:
    page = (ROOT / "docs/how-to/rotate-keys.md").read_text()
    public = {"CONSOLE_URL"}
    secret = {name for name in Settings.__struct_encode_fields__ if name.endswith(("_URL", "_KEYS"))} - public
    assert {name for name in secret if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("command", [*commands(main)])
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"strongbox {command}" in README or f"`{command}" in README


@pytest.mark.parametrize("option", ["--workers", "--id", "--reference", "--json"])
def test_every_option_named_in_the_readme_exists(option: str) -> None:
    assert any(option in parameter.opts for parameter in parameters(main))


def parameters(command: click.Command) -> Iterator[click.Parameter]:
    """Every parameter of a command and of those below it."""
    yield from command.params
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from parameters(child)


@pytest.mark.parametrize("command", [*commands(consumers_main)])
def test_every_consumer_is_in_the_readme(command: str) -> None:
    assert f"`python -m consumers {command}" in README


def test_every_target_of_the_makefile_is_in_the_readme() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {target for target in targets if not re.search(rf"`make {target}[` ]", README)} == set()
    assert set(re.findall(r"`make ([a-z-]+)", README)) <= targets


def test_the_error_table_is_that_of_the_api() -> None:
    told = {(int(status), code.strip("`")) for status, code, _ in table("Errors")}
    assert told == {(status, code) for code, status in STATUS.items()}


def test_every_check_of_verify_is_explained() -> None:
    explained = (ROOT / "docs/invariants.md").read_text()
    others = ["ledger_is_append_only", "audit_chain_is_unbroken", "audit_trail_is_complete", "charges_match_payments"]
    assert {name for name in [*(query[0] for query in QUERIES), *others] if f"`{name}`" not in explained} == set()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    records = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        title = path.read_text().partition("\n")[0].partition(". ")[2]
        assert f"[{path.name[:4]}]({path.name}) | {title} |" in index


def every_event() -> Iterator[Event]:
    """One event of each kind, about payments with and without a trace."""
    traced = payment(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    for pending in (payment(), traced):
        declined = pending.settle(Declined("DO_NOT_HONOR"), NOON)
        failed = pending.mark_for_void(NOON).settle(Voided(FailureCode.GATEWAY_TIMEOUT), NOON)
        yield created(pending, EventId(uuid4()))
        for final in (pending.settle(Approved(), NOON), declined, failed):
            yield settled(final, EventId(uuid4()))
        for final in (declined, failed):
            yield refunded(final, TransactionId(uuid4()), EventId(uuid4()), NOON)


@pytest.mark.parametrize("event", [*every_event()], ids=lambda event: f"{event.type}-{event.payment.status}")
def test_the_schemas_describe_the_events(event: Event) -> None:
    told = json.loads(document(event))
    schema = SCHEMAS[told["dataschema"]]
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(told["data"])
    assert set(told["data"]) == set(schema["properties"]) == set(schema["required"])


def test_the_consumer_of_the_manual_is_the_example_that_is_tested() -> None:
    told = (ROOT / "docs/consumers.md").read_text()
    assert f"```python\n{(ROOT / 'consumers/examples/spending.py').read_text()}```" in told
    (inbox,) = re.findall(r"^```sql\n(.*?)^```$", told, re.DOTALL | re.MULTILINE)
    tables = (ROOT / "consumers/examples/spending.sql").read_text()
    assert [line for line in inbox.splitlines() if line not in tables] == []


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_events_of_the_readme_are_events() -> None:
    told = {row[0].strip("`"): int(row[1]) for row in table("Events")}
    assert told == {event.type.value: event.sequence for event in every_event()}
    assert set(told) == {kind.value for kind in EventType}
    (example,) = re.findall(r"^```json\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    shown = json.loads(example)
    Draft202012Validator(SCHEMAS[shown["dataschema"]]).validate(shown["data"])
    assert set(shown) == set(json.loads(document(next(every_event()))))
