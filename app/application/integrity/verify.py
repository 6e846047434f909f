"""Verify: does every invariant hold that can be seen from here?"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

OFFENDERS_SHOWN = 20


class Check(Protocol):
    """One thing that must be true."""

    @property
    def name(self) -> str:
        """What it is called in reports, in snake case."""
        ...

    @property
    def claim(self) -> str:
        """The truth it checks, as a sentence."""
        ...

    def offenders(self) -> AsyncIterator[str]:
        """Whatever contradicts the claim, each named by its ids. Bounded memory, however many there are."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """How a check went. `offenders` are the first few of `offences`."""

    name: str
    claim: str
    offences: int
    offenders: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the claim is true."""
        return self.offences == 0


async def verify(checks: Sequence[Check], began: Callable[[Check], None]) -> Sequence[Finding]:
    """Run the checks one after the other, telling of each as it begins."""
    findings = []
    for check in checks:
        began(check)
        count, shown = 0, []
        async for offender in check.offenders():
            count += 1
            if count <= OFFENDERS_SHOWN:
                shown.append(offender)
        findings.append(Finding(check.name, check.claim, count, tuple(shown)))
    return findings
