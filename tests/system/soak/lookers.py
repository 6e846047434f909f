"""Lookers: they read products and lists of them at all APIs."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Asking, somewhere
from tests.system.soak.shelf import Shelf

LOOKERS: Final = 3
PAUSE_S: Final = 0.2
"""The longest that one rests between two looks."""


class Lookers:
    """Their work. What they saw is kept with the products."""

    def __init__(self, asking: Asking, shelf: Shelf, sellers: Sequence[Person], seed: int) -> None:
        self._asking = asking
        self._shelf = shelf
        self._sellers = sellers
        self._seed = seed

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them look until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(LOOKERS):
                tasks.create_task(self._work(random.Random(f"{self._seed}/looker/{number}"), stop))

    async def _work(self, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await (self._look if dice.random() < 0.8 else self._list)(dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _look(self, dice: random.Random) -> None:
        """At one; now and then at one that is gone."""
        things = self._shelf.live() if dice.random() < 0.9 else list(self._shelf.things.values())
        if not things:
            return
        thing = dice.choice(things)
        answer = await self._asking.ask("look", None, somewhere(dice), "GET", f"/v1/products/{thing.id}")
        if answer.status in (200, 404):
            self._shelf.looked(thing, answer, answer.told if answer.status == 200 else None, "look")
        elif answer.is_known:
            self._shelf.complaints.append(f"product {thing.id}: a look was answered {answer.status} {answer.code}")

    async def _list(self, dice: random.Random) -> None:
        """All of one seller's: none of them is missing that was there before."""
        seller = dice.choice(self._sellers)
        things = [thing for thing in self._shelf.things.values() if thing.seller is seller]
        asked = {"seller": str(seller.id), "limit": "100"}
        answer = await self._asking.ask("list", None, somewhere(dice), "GET", "/v1/products", params=asked)
        if answer.status == 200:
            self._shelf.listed(things, answer, "list")
        elif answer.is_known:
            self._shelf.complaints.append(f"a list was answered {answer.status} {answer.code}")
