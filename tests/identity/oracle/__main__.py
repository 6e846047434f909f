"""`make siwe-oracle`: ask a second implementation of EIP-4361 about every case, and see why it differs where it does.

Exit codes: 0 each difference is a rule of ours and all is as recorded, 1 one is not, 2 it could not be asked.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.identity.oracle.cases import Case, cases
from tests.identity.oracle.facts import record, recorded
from tests.identity.oracle.verdicts import ours, rule_of
from tests.identity.wallets import DOMAIN, NONCE, NOW

ROOT: Final = Path(__file__).parents[3]
PYTHON: Final = ROOT / ".venv-siwe/bin/python"
LOCK: Final = ROOT / "requirements-siwe.lock"
LIMIT_S: Final = 300


def main(words: Sequence[str]) -> int:
    """Ask, compare, tell."""
    asked = [*cases()]
    try:
        theirs = _ask(asked)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        sys.stderr.write(f"the library could not be asked: {error}\n")
        return 2
    verdicts = {case.name: (ours(case)[0], verdict) for case, verdict in zip(asked, theirs, strict=True)}
    if "--write" in words:
        record(_library(), verdicts)
    unexplained, told = 0, set[str]()
    for case, (mine, other) in zip(asked, verdicts.values(), strict=True):
        rule = rule_of(case, other) if mine != other else ""
        if rule is None:
            unexplained += 1
            sys.stdout.write(f"UNEXPLAINED  {case.name}: ours {mine}, theirs {other}\n")
        elif rule and rule not in told:
            told.add(rule)
            sys.stdout.write(f"{case.name}: ours {mine}, theirs {other}: {rule}\n")
    changed = verdicts != recorded()
    different = sum(mine != other for mine, other in verdicts.values())
    sys.stdout.write(f"{len(asked)} cases, {different} verdicts differ, {unexplained} unexplained\n")
    if changed:
        sys.stdout.write("The verdicts are not those that are recorded: see to it, then WRITE=1.\n")
    return 1 if unexplained or changed else 0


def _ask(asked: Sequence[Case]) -> list[str]:
    beside = {"domain": DOMAIN, "nonce": NONCE, "now": NOW.isoformat()}
    lines = [json.dumps({"message": case.message, "signature": case.signature, **beside}) for case in asked]
    script = Path(__file__).with_name("asked.py")
    done = subprocess.run(
        [PYTHON, script], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=LIMIT_S, check=True
    )
    verdicts = [str(json.loads(line)) for line in done.stdout.splitlines()]
    if len(verdicts) != len(asked):
        raise ValueError(f"{len(verdicts)} verdicts on {len(asked)} cases")
    return verdicts


def _library() -> str:
    return next(line for line in LOCK.read_text().splitlines() if line.startswith("signinwithethereum=="))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
