"""`python -m tests.system.dependencies.audit`: known vulnerabilities of the pinned packages, and which are reached.

pip-audit asks PyPI. What it could not ask about counts as not checked and is said to be, which is no failure: a network
that is away says nothing about a package. Exit codes: 0 nothing known that is reached; 1 something.
"""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from typing import Any, NamedTuple

from tests.system.dependencies import LOCK, ROOT, pinned

PRODUCT = ("app", "consumers", "mock_gateway")
PIP_AUDIT = ROOT / ".venv-tools/bin/pip-audit"
LIMIT_S = 300


class Finding(NamedTuple):
    """A known vulnerability of a pinned package."""

    package: str
    version: str
    vulnerability: str
    mended_in: str


class Audit(NamedTuple):
    """What is known of each package, and of which nothing could be found out: the reason by name."""

    findings: list[Finding]
    not_checked: Mapping[str, str]


def ask() -> str:
    """What pip-audit says, as JSON; nothing where it could not say anything."""
    command = [str(PIP_AUDIT), "--no-deps", "--disable-pip", "--requirement", str(LOCK), "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"pip-audit: {error}\n")
        return ""
    if not done.stdout:
        sys.stderr.write(f"pip-audit: {done.stderr.strip().rpartition(chr(10))[2]}\n")
    return done.stdout


def read(told: str) -> Audit:
    """Take pip-audit's word for what it knows, and for nothing else."""
    findings, not_checked = [], dict.fromkeys(pinned(), "pip-audit gave no answer")
    for package in json.loads(told)["dependencies"] if told else ():
        name = package["name"]
        if "skip_reason" in package:
            not_checked[name] = package["skip_reason"]
            continue
        del not_checked[name]
        findings += [_finding(package, vulnerability) for vulnerability in package["vulns"]]
    return Audit(findings, not_checked)


def _finding(package: Mapping[str, Any], vulnerability: Mapping[str, Any]) -> Finding:
    names = ", ".join([vulnerability["id"], *vulnerability.get("aliases", ())])
    mended_in = ", ".join(vulnerability.get("fix_versions", ())) or "no version"
    return Finding(package["name"], package["version"], names, mended_in)


def reached() -> frozenset[str]:
    """The packages of which a module is loaded once everything is that the product's sources import.

    What such a package itself imports only when it is used in some way is not among them.
    """
    for name in {name for product in PRODUCT for name in _imports(product)}:
        if not name.startswith(PRODUCT):
            importlib.import_module(name)
    loaded = {name.partition(".")[0] for name in sys.modules}
    found = {package for name, packages in packages_distributions().items() if name in loaded for package in packages}
    return frozenset(package.lower().replace("_", "-").replace(".", "-") for package in found)


def _imports(product: str) -> Iterator[str]:
    """What the sources import, within functions as well."""
    for path in (ROOT / product).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


def report(audit: Audit, reached: frozenset[str]) -> tuple[str, int]:
    """The findings to read, and the exit code."""
    lines = [
        f"{'REACHED' if one.package in reached else 'not reached'}  {one.package} {one.version}: {one.vulnerability}; "
        f"mended in {one.mended_in}"
        for one in sorted(audit.findings, key=lambda one: (one.package not in reached, one))
    ]
    checked = len(pinned()) - len(audit.not_checked)
    lines.append(f"{checked} of {len(pinned())} packages checked, {len(audit.findings)} known vulnerabilities")
    if audit.not_checked:
        name, reason = next(iter(audit.not_checked.items()))
        lines.append(f"NOT CHECKED: {len(audit.not_checked)} packages. {name}: {reason}")
    return "\n".join(lines), int(any(one.package in reached for one in audit.findings))


if __name__ == "__main__":
    text, code = report(read(ask()), reached())
    sys.stdout.write(f"{text}\n")
    sys.exit(code)
