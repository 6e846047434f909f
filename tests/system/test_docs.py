"""Whether the documents say what the project does: links, settings, commands, errors, checks, and events."""

import importlib
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.kernel.scopes import SCOPES
from app.main.api import described
from app.main.cli import main
from app.main.contexts import CONTEXTS
from app.platform.http.services import HttpOptions
from app.platform.process.settings import PlatformSettings, settings_of
from consumers.cli import main as consumers_main
from tests.system.documents import ROOT, table

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "clients/python/README.md"]
EVERY_SETTING = [s for section in (PlatformSettings, *(c.settings for c in CONTEXTS)) for s in settings_of(section)]
SITE = ROOT / "docs/site"  # how the site is made of the others
README_LINES, README_COLUMNS = 150, 100
COMMANDS = (ROOT / "docs/reference/commands.md").read_text()


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


def children(group: click.Group) -> dict[str, click.Command]:
    """The commands of a group, by name."""
    context = click.Context(group, obj=group.context_settings.get("obj"))
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command below this one, as it is typed."""
    if isinstance(command, click.Group):
        for name, child in children(command).items():
            if not child.hidden:  # another spelling
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
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("decisions/")}
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
    told = {name.strip("`"): default.strip("`") for name, default, _ in table("docs/reference/settings.md")}
    defaults = {setting.name: str(setting.default) for setting in EVERY_SETTING}
    assert told == {
        name: value.lower() if value in ("True", "False") else value.removesuffix(".0")
        for name, value in defaults.items()
    }


def test_the_page_on_rotation_has_every_setting_with_a_secret_in_it() -> None:
    page = (ROOT / "docs/how-to/rotate-keys.md").read_text()
    public = {"CONSOLE_URL"}
    secret = {name for name in (setting.name for setting in EVERY_SETTING) if name.endswith(("_URL", "_KEYS"))} - public
    assert {name for name in secret if f"`{name}`" not in page} == set()


def test_every_scope_of_machines_is_explained() -> None:
    page = (ROOT / "docs/identity/tokens.md").read_text()
    told = re.findall(r"^\| `([a-z]+:[a-z]+)` \|", page, re.MULTILINE)
    assert sorted(told) == sorted(SCOPES)


def told_commands() -> set[str]:
    """The commands of the tables, each with its arguments and options, as they are typed."""
    cells = [line.split("|")[1] for line in COMMANDS.splitlines() if line.startswith("| `")]
    return {typed for cell in cells for typed in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("command", [*commands(main)])
def test_every_command_is_in_the_table(command: str) -> None:
    assert any(f"{typed} ".startswith(f"strongbox {command} ") for typed in told_commands())


def test_every_command_and_every_option_of_the_table_exists() -> None:
    for typed in (one for one in told_commands() if one.startswith("strongbox ")):
        command: click.Command = main
        words = typed.split()[1:]
        while isinstance(command, click.Group) and (
            not command.invoke_without_command or (words and words[0] in children(command))
        ):
            command = children(command)[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", typed)) <= known, typed


@pytest.mark.parametrize("command", [*commands(consumers_main)])
def test_every_consumer_is_in_the_table(command: str) -> None:
    assert f"`python -m consumers {command}" in COMMANDS


def test_every_target_of_the_makefile_is_in_the_table() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {target for target in targets if not re.search(rf"`make {target}[` ]", COMMANDS)} == set()
    for page in DOCUMENTS:
        assert set(re.findall(r"`make ([a-z-]+)", page.read_text())) <= targets, page


def test_the_list_of_targets_fits_a_terminal() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "  run  " in listed
    assert [line for line in listed.splitlines() if len(line) > README_COLUMNS] == []


def test_the_readme_is_short_and_names_all_that_sets_up_a_fresh_machine() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= README_LINES
    assert [line for line in lines if len(line) > README_COLUMNS] == []
    (first,) = re.findall(r"^```sh\n(make .*?)^```$", "\n".join(lines), re.DOTALL | re.MULTILINE)
    assert re.findall(r"^make \w+", first, re.MULTILINE) == ["make run", "make test"]


def test_the_error_table_is_that_of_the_api() -> None:
    told = {(int(status), code.strip("`")) for status, code, _ in table("docs/api.md", "Errors")}
    offered = described(HttpOptions(api_keys=()))
    assert told == {(kind.status, kind.name) for operation in offered for kind in operation.errors}


def queries(path: Path) -> Sequence[tuple[str, str, str]]:
    """A context's invariants: name, sentence, and query."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    kept = vars(importlib.import_module(module))
    found: Sequence[tuple[str, str, str]] = kept["QUERIES"] if "QUERIES" in kept else kept["OF_TENANTS"]
    return found


def test_every_check_of_verify_is_explained() -> None:
    explained = (ROOT / "docs/invariants.md").read_text()
    others = ["ledger_is_append_only", "audit_chain_is_unbroken", "audit_trail_is_complete", "charges_match_payments"]
    others += ["orders_and_holds_agree", "orders_and_stock_agree", "bids_make_their_auctions"]
    others += ["leaders_and_holds_agree", "auctions_and_orders_agree", "auctions_and_stock_agree"]
    modules = ROOT.glob("app/contexts/*/adapters/postgres/*invariants.py")
    names = [name for path in modules for name, _, _ in queries(path)]
    assert len(names) >= 8  # of funds and payments
    assert {name for name in (*names, *others) if f"`{name}`" not in explained} == set()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    records = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        title = path.read_text().partition("\n")[0].partition(". ")[2]
        assert index.count(f"[{path.name[:4]}]({path.name}) | {title} |") == 1, path.name


def test_the_consumer_of_the_manual_is_the_example_that_is_tested() -> None:
    told = (ROOT / "docs/consumers.md").read_text()
    assert f"```python\n{(ROOT / 'consumers/examples/spending.py').read_text()}```" in told
    (inbox,) = re.findall(r"^```sql\n(.*?)^```$", told, re.DOTALL | re.MULTILINE)
    tables = (ROOT / "consumers/examples/spending.sql").read_text()
    assert [line for line in inbox.splitlines() if line not in tables] == []
