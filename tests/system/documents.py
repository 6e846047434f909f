"""The documents of the repository, and what is read out of them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def table(page: str, heading: str = "") -> Iterator[list[str]]:
    """The rows of the only table of a page, or of that under one of its headings, cell by cell, without its head."""
    section = (ROOT / page).read_text()
    if heading:
        section = section.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    for row in rows[2:]:
        yield [cell.strip() for cell in row.split("|")[1:-1]]
