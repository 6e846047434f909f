"""Clients who pay one payment after the other, and insist on an answer."""

import asyncio
import itertools
import random
from typing import Final

from tests.system.soak.answers import contradictions
from tests.system.soak.load import PAUSE_S, Load
from tests.system.soak.records import Order

CLIENTS: Final = 8
INSISTS_S: Final = 120.0
AGAIN_S: Final = 0.1
AVOIDS_S: Final = 1.0


class Insisting(Load):
    """The bank test's clients, half of them at each API. Who is not answered asks the other one, with the same key."""

    async def run(self, stop: asyncio.Event) -> None:
        """See `Load.run`."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CLIENTS):
                tasks.create_task(self._client(number, stop))

    async def _client(self, number: int, stop: asyncio.Event) -> None:
        dice, home, back_at = random.Random(f"{self._seed}/client/{number}"), number % len(self._apis), 0.0
        for nth in itertools.count():
            if stop.is_set():
                return
            order = self._order(self._pick(dice), dice, f"{self._seed}-{number}-{nth}")
            # As behind a balancer: who does not answer is left alone for a while.
            is_home = self._loop.time() >= back_at
            if not await self._insist(order, home if is_home else home + 1) and is_home:
                back_at = self._loop.time() + AVOIDS_S
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _insist(self, order: Order, api: int) -> bool:
        """Ask until the answer is final; whether the API that was asked first has answered."""
        deadline, first = self._loop.time() + INSISTS_S, api
        while self._loop.time() < deadline:
            call = await self.call("retry" if order.calls else "pay", api % len(self._apis), order)
            if call.meaning == "final":
                break
            if call.meaning in ("unknown", "unsent"):
                api += 1
            await asyncio.sleep(AGAIN_S)
        return api == first

    def acknowledged(self) -> dict[str, float]:
        """The payments that their clients were told have been made, and when each first was."""
        finals = (order.final for order in self.history.orders)
        return {final.payment_id: final.ended for final in finals if final is not None and final.code == "APPROVED"}

    def longest_gap_s(self, since: float, until: float) -> float:
        """The longest time in which nobody was told that a payment has been made."""
        told = sorted(at for at in self.acknowledged().values() if since <= at <= until)
        return max(later - sooner for sooner, later in itertools.pairwise([since, *told, until]))

    def wrong(self) -> list[str]:
        """Answers that contradict each other, or the contract, and payments that never came to an end."""
        open_orders = [order for order in self.history.orders if order.final is None]
        endless = (f"user {order.user_id}, key {order.key}: no final answer" for order in open_orders)
        return [*contradictions(self.history), *endless]
