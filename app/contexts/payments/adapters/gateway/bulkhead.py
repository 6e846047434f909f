"""The gate: so many payments at the gateway at a time, and none while the breaker is open."""

import math
from typing import Self

from app.contexts.payments.domain.refusals import GatewayUnavailable
from app.platform.outgoing.breaker import Breaker


class Bulkhead:
    """Hands out a process's slots. While the breaker is half-open it hands out one: the probe's."""

    def __init__(self, slots: int, breaker: Breaker, held: "set[HeldSlot] | None" = None) -> None:
        self.slots = slots
        self._breaker = breaker
        self._held: set[HeldSlot] = set() if held is None else held
        self._probe: HeldSlot | None = None

    def beside(self, breaker: Breaker) -> "Bulkhead":
        """Another gate to the same slots, behind a breaker of its own."""
        return Bulkhead(self.slots, breaker, self._held)

    @property
    def in_use(self) -> int:
        """How many slots are held."""
        return len(self._held)

    def enter(self) -> "HeldSlot":
        """Take a slot, at once; leaving it gives it back.

        Raises:
            GatewayUnavailable: the breaker is open, or half-open with its probe under way, or no slot is free.
        """
        state = self._breaker.state
        if state == "open":
            raise GatewayUnavailable(max(1, math.ceil(self._breaker.remaining_s)))
        if len(self._held) >= self.slots or (state == "half_open" and self._probe):
            raise GatewayUnavailable(1)
        slot = HeldSlot(self)
        self._held.add(slot)
        if state == "half_open":
            self._probe = slot
        return slot

    def leave(self, slot: "HeldSlot") -> None:
        """Give the slot back. A probe that never called leaves the breaker as it was, for the next probe."""
        self._held.discard(slot)
        if self._probe is slot:
            self._probe = None


class HeldSlot:
    """A slot, held until the `with` block ends."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._bulkhead.leave(self)
