"""What is said about the dependencies: their licences, and what an audit of them finds or could not find out."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.system.dependencies import ROOT, pinned
from tests.system.dependencies.audit import Finding, read, report
from tests.system.dependencies.licences import PAGE, page

REACHED = frozenset({"msgspec"})


def told(vulnerable: dict[str, list[dict[str, Any]]], *skipped: str) -> str:
    """What pip-audit says when it knows these."""
    known = [
        {"name": name, "version": version, "vulns": vulnerable.get(name, [])}
        for name, version in pinned().items()
        if name not in skipped
    ]
    return json.dumps({"dependencies": [*known, *({"name": name, "skip_reason": "not found"} for name in skipped)]})


def test_the_page_of_licences_is_that_of_the_pinned_packages() -> None:
    assert PAGE.read_text() == page(), "run `make licences`"
    assert "not stated" not in page()


@pytest.mark.parametrize(("package", "code"), [("msgspec", 1), ("faker", 0)])
def test_a_vulnerability_fails_the_audit_if_the_service_reaches_it(package: str, code: int) -> None:
    audit = read(told({package: [{"id": "PYSEC-1", "fix_versions": ["9"], "aliases": ["CVE-1"]}]}))
    assert audit.findings == [Finding(package, pinned()[package], "PYSEC-1, CVE-1", "9")]
    text, exit_code = report(audit, REACHED)
    assert exit_code == code
    assert text.startswith("REACHED" if code else "not reached")
    assert "NOT CHECKED" not in text


def test_what_could_not_be_asked_is_not_checked_and_not_called_clean() -> None:
    text, code = report(read(told({}, "msgspec", "faker")), REACHED)
    assert code == 0
    assert "NOT CHECKED: 2 packages" in text
    text, code = report(read(""), REACHED)
    assert code == 0
    assert f"0 of {len(pinned())} packages checked" in text
    assert f"NOT CHECKED: {len(pinned())} packages" in text


def test_what_the_service_reaches_is_what_it_loads() -> None:
    """Found out in a process of its own: this one has loaded the tests' packages as well."""
    command = "from tests.system.dependencies.audit import reached; print(*reached())"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert {"litestar", "msgspec", "psycopg", "psycopg-binary", "aio-pika", "yoyo-migrations", "pyyaml"} <= found
    assert not {"faker", "pytest", "hypothesis"} & found
