"""What people do with their money, move by move: what was asked, and all that was said to it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec

What = Literal["send", "receive", "hold", "capture", "release", "forbid"]
HTTP = ("send", "receive")
Account = tuple[str, str]
"""Whose money, of which currency."""


@dataclass(slots=True)
class Move:
    """Something that is asked for until it is known. `finals` are the answers that say what became of it."""

    what: What
    currency: str
    asked: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    who: UUID | None = None
    """Who sends."""
    finals: list[bytes] = field(default_factory=list)
    replays: int = 0
    calls: int = 0

    @property
    def told(self) -> dict[str, Any]:
        """What became of it; nothing where that is not known."""
        told: dict[str, Any] = msgspec.json.decode(self.finals[0]) if self.finals else {}
        return told

    @property
    def name(self) -> str:
        """What it is called in complaints."""
        return f"{self.what} {self.headers.get('Idempotency-Key') or self.asked.get('business') or self.asked['hold']}"

    def outcome(self) -> str:
        """How it ended, in a word."""
        told = self.told
        return str(told.get("refused") or told.get("error", {}).get("code") or next(iter(told), "unknown"))

    def contradictions(self) -> Iterator[str]:
        """Answers that contradict each other."""
        if not self.finals:
            yield f"{self.name}: what became of it could not be learned in {self.calls} calls"
        elif len(set(self.finals)) > 1:
            yield f"{self.name}: {len(self.finals)} answers differ: {sorted(set(self.finals))[:2]}"
        elif self.what in HTTP and len(self.finals) - self.replays > 1:
            yield f"{self.name}: {len(self.finals) - self.replays} answers are not marked as replayed"

    def effect(self) -> Counter[Account]:
        """What it did to what can be spent, and what is set aside counts as that, by what was said."""
        told, moved = self.told, Counter[Account]()
        if self.what in HTTP and "transfer_id" in told:
            moved[told["to"], self.currency] += told["amount"]
            if told["from"] is not None:
                moved[told["from"], self.currency] -= told["amount"]
        if self.what == "capture" and "captured" in told:
            moved[self.asked["owner"], self.currency] -= told["captured"]
            for user, amount in self.asked["parts"]:
                moved[user, self.currency] += amount
        return moved
