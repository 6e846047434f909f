"""What the library said of each case when it was last asked: `facts.tsv`, a case a line, its verdict behind ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

FACTS: Final = Path(__file__).with_name("facts.tsv")


def recorded() -> Mapping[str, tuple[str, str]]:
    """Our verdict and the library's, by the case's name."""
    lines = [line.split("\t") for line in FACTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: (ours, theirs) for name, ours, theirs in lines}


def record(library: str, verdicts: Mapping[str, tuple[str, str]]) -> None:
    """Keep them."""
    head = f"# Made by `make siwe-oracle WRITE=1`; not edited by hand. A case, our verdict, that of {library}.\n"
    lines = [f"{name}\t{ours}\t{theirs}\n" for name, (ours, theirs) in verdicts.items()]
    FACTS.write_text(head + "".join(lines), encoding="utf-8")
