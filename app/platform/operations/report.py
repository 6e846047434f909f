"""What `strongbox verify` has found, for people and for programs."""

from collections.abc import Sequence

import msgspec

from app.platform.operations.verify import Finding
from app.platform.process import terminal


def as_json(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """The findings as JSON."""
    report = {
        "holds": all(finding.holds for finding in findings),
        "checks": [{"holds": finding.holds, **msgspec.to_builtins(finding)} for finding in findings],
        "notes": notes,
    }
    return terminal.as_json(report)


def as_text(findings: Sequence[Finding], notes: Sequence[str]) -> str:
    """A line for each check, its offenders below it, and the sum."""
    lines = []
    for finding in findings:
        lines.append(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.claim}")
        lines.extend(f"          {offender}" for offender in finding.offenders)
        if finding.offences > len(finding.offenders):
            lines.append(f"          … and {finding.offences - len(finding.offenders)} more: --offenders N names more")
    lines.extend(f"note    {note}" for note in notes)
    broken = sum(not finding.holds for finding in findings)
    lines.append(
        f"{broken} of {len(findings)} checks found offenders" if broken else f"all {len(findings)} checks hold"
    )
    return "\n".join(lines)
