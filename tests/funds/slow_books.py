"""What funds promise, said as slowly and as plainly as it can be: against it the real books are held."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.kernel.money import MAX_MINOR

Say = tuple[Any, ...]
"""What is asked: a word, and what belongs to it. Users and holds are numbers."""


@dataclass
class SlowHold:
    owner: int
    amount: int
    is_over: bool
    captured: int = 0
    released: int = 0
    closed_as: Say | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_as is None


@dataclass
class SlowBooks:
    """Balances, what is set aside, holds in the order of their placing, and what each operation came to."""

    balances: list[int | None]
    held: list[int]
    holds: list[SlowHold] = field(default_factory=list)
    operations: dict[int, tuple[Say, str]] = field(default_factory=dict)

    def perform(self, name: int, members: Sequence[Say]) -> str:
        content = tuple(members)
        if name in self.operations:
            before, outcome = self.operations[name]
            if before == ("forbid",):
                return "FORBIDDEN_OPERATION"
            return outcome if before == content else "OPERATION_REUSED"
        kept = list(self.balances), list(self.held), [SlowHold(**vars(hold)) for hold in self.holds]
        outcome = next(filter(None, map(self._refused, members)), "Done")
        if outcome != "Done":
            self.balances, self.held, self.holds = kept
        self.operations[name] = content, outcome
        return outcome

    def forbid(self, name: int) -> str:
        if name not in self.operations:
            self.operations[name] = ("forbid",), "Forbidden"
        return self.operations[name][1]

    def close(self, how: Say) -> str:
        kind, number, *parts = how
        hold = self.holds[number]
        if not hold.is_open:
            return "Closed" if hold.closed_as == how else "HOLD_CLOSED"
        if kind == "capture":
            amount = sum(amount for _, amount in parts)
            if hold.is_over:
                return "HOLD_CLOSED"
            if amount > hold.amount:
                return "CAPTURE_TOO_LARGE"
            if any(not self._has_room(user, part) for user, part in parts):
                return "BALANCE_LIMIT"
            for user, part in parts:
                self._add(user, part)
            hold.captured = amount
        hold.released = hold.amount - hold.captured
        hold.closed_as = how
        self.held[hold.owner] -= hold.amount
        self._add(hold.owner, hold.released)
        return "Closed"

    def _refused(self, member: Say) -> str | None:
        """Do it, or say why not."""
        match member:
            case "transfer", sender, recipient, amount:
                return self._take(sender, amount) or self._give(recipient, amount)
            case "credit", recipient, amount:
                return self._give(recipient, amount)
            case "hold", owner, amount, is_over:
                if refused := self._take(owner, amount):
                    return refused
                self.held[owner] += amount
                self.holds.append(SlowHold(owner, amount, is_over))
                return None
            case _, number, amount:
                return self._resize(self.holds[number], amount)
        raise AssertionError(member)

    def _resize(self, hold: SlowHold, amount: int) -> str | None:
        if not hold.is_open or hold.is_over:
            return "HOLD_CLOSED"
        more = amount - hold.amount
        if more > 0 and (refused := self._take(hold.owner, more)):
            return refused
        if more < 0:
            self._add(hold.owner, -more)
        self.held[hold.owner] += more
        hold.amount = amount
        return None

    def _take(self, user: int, amount: int) -> str | None:
        if (self.balances[user] or 0) < amount:
            return "INSUFFICIENT_FUNDS"
        self._add(user, -amount)
        return None

    def _give(self, user: int, amount: int) -> str | None:
        if not self._has_room(user, amount):
            return "BALANCE_LIMIT"
        self._add(user, amount)
        return None

    def _has_room(self, user: int, amount: int) -> bool:
        return (self.balances[user] or 0) + self.held[user] + amount <= MAX_MINOR

    def _add(self, user: int, amount: int) -> None:
        self.balances[user] = (self.balances[user] or 0) + amount
