"""What a run shows while it goes on, and what it leaves behind."""

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

Verdict = Literal["holds", "BROKEN", "void"]
EXIT_CODES: Final[Mapping[Verdict, int]] = {"holds": 0, "BROKEN": 1, "void": 3}
SHOWN: Final = 20


@dataclass(slots=True)
class Report:
    """A run. `broken` is by check: what was found to contradict it."""

    seed: int
    duration_s: float
    counts: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    broken: dict[str, list[str]] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    void: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """A broken invariant outweighs everything; without one, a fault that hit nothing proves nothing."""
        return "BROKEN" if self.broken else "void" if self.void else "holds"

    def text(self) -> str:
        """For people."""
        lines = [f"seed {self.seed}, {self.duration_s:g} s of load"]
        lines += [f"  {name}: {_told(value)}" for name, value in self.counts.items()]
        lines += [
            f"  fault at {f['at_s']:5.1f} s: {f['name']}, {f['lasted_s']:.1f} s, hit {f['hit']}, "
            f"back {f['back_s']:.1f} s later"
            for f in self.faults
        ]
        for check in self.checks:
            found = self.broken.get(check, [])
            lines.append(f"{'BROKEN' if found else 'holds '}  {check}")
            lines += [f"          {one}" for one in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"          … and {len(found) - SHOWN} more")
        lines += [f"void    {reason}" for reason in self.void]
        lines.append(f"verdict: {self.verdict} (seed {self.seed})")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """Write the JSON to the path, and the text beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"verdict": self.verdict} | msgspec.to_builtins(self)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
        path.with_suffix(".txt").write_text(self.text() + "\n", encoding="utf-8")


def _told(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{name} {count}" for name, count in Counter(value).most_common()) or "none"


class Progress:
    """One line that changes on a terminal, a line every few seconds elsewhere; news always get a line."""

    EVERY_S: Final = 5.0

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told_at = 0.0
        self._live = sys.stderr.isatty()

    def say(self, news: str) -> None:
        """Tell something that stays."""
        clear = "\r\x1b[K" if self._live else ""
        self._write(f"{clear}{self._elapsed():6.1f} s  {news}\n")

    def state(self, text: str) -> None:
        """Tell how it stands."""
        if self._live:
            self._write(f"\r\x1b[K{self._elapsed():6.1f} s  {text}"[:160])
        elif self._elapsed() - self._told_at >= self.EVERY_S:
            self._told_at = self._elapsed()
            self._write(f"{self._elapsed():6.1f} s  {text}\n")

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
