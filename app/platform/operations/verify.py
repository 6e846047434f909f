"""Verify: does every invariant hold that can be seen from here?"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.platform.process.progress import Progress

OFFENDERS_NAMED = 20
"""Of a check, unless more are asked for."""


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


async def verify(
    lanes: Sequence[Sequence[Check]], progress: Progress, named: int = OFFENDERS_NAMED
) -> Sequence[Finding]:
    """Run the checks, telling of each as it begins: those of a lane one after the other, the lanes side by side.

    While one lane waits for the database the other may compare what it has. Findings come in the order of the checks,
    each with its first `named` offenders.
    """
    done, total = 0, sum(map(len, lanes))

    async def run(lane: Sequence[Check]) -> Sequence[Finding]:
        nonlocal done
        findings = []
        for check in lane:
            progress(check.name, done, total)
            findings.append(await _run(check, named))
            done += 1
        return findings

    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run(lane)) for lane in lanes]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [finding for task in running for finding in task.result()]


async def _run(check: Check, named: int) -> Finding:
    count, offenders = 0, []
    async for offender in check.offenders():
        count += 1
        if count <= named:
            offenders.append(offender)
    return Finding(check.name, check.claim, count, tuple(offenders))
