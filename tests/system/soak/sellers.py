"""Sellers: they put products of few pieces on sale, put in some more, change prices, and take products off again."""

import asyncio
import random
import uuid
from collections.abc import Sequence
from typing import Any, Final

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Answer, Asking, somewhere
from tests.system.soak.shelf import GONE, Edit, Shelf, Thing

PAUSE_S: Final = 1.0
"""The longest that one rests between two changes."""
ELSEWHERE_S: Final = 0.25
"""After which a change is to be seen everywhere."""
PIECES: Final = (2, 6)
PRICES: Final = (5, 400)
EACH: Final = 2
"""Products that a seller has of each currency."""
CURRENCIES: Final = ("USD", "EUR", "JPY")


class Sellers:
    """Their work. What was answered to their changes is kept with the products."""

    def __init__(self, asking: Asking, shelf: Shelf, sellers: Sequence[Person], seed: int) -> None:
        self._asking = asking
        self._shelf = shelf
        self._sellers = sellers
        self._seed = seed

    async def open(self) -> None:
        """Put on sale what each of them has at first."""
        await asyncio.gather(*(self._open(n, seller) for n, seller in enumerate(self._sellers)))

    async def _open(self, number: int, seller: Person) -> None:
        dice = random.Random(f"{self._seed}/opening/{number}")
        for currency in CURRENCIES * EACH:
            await self._put_on_sale(seller, currency, dice)

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop."""
        async with asyncio.TaskGroup() as tasks:
            for number, seller in enumerate(self._sellers):
                tasks.create_task(self._work(seller, random.Random(f"{self._seed}/seller/{number}"), stop))

    async def _work(self, seller: Person, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            mine = [thing for thing in self._shelf.live() if thing.seller is seller]
            missing = [one for one in CURRENCIES if sum(thing.currency == one for thing in mine) < EACH]
            if missing:
                await self._put_on_sale(seller, dice.choice(missing), dice)
                continue
            thing = dice.choice(mine)
            if dice.random() < 0.06:
                await self._take_off(thing, dice)
            else:
                await self._change(thing, dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def at_last(self, pieces: int) -> None:
        """With nothing in the way: each product is seen everywhere, changed, and seen again, soon everywhere. And of
        each currency one of them offers two things more, of so many pieces.
        """
        await asyncio.gather(*map(self._show, self._shelf.live()))
        dice = random.Random(f"{self._seed}/pairs")
        for currency in CURRENCIES:
            two = [await self._put_on_sale(self._sellers[0], currency, dice, pieces) for _ in range(2)]
            if two[0] and two[1]:
                self._shelf.pairs[currency] = two[0], two[1]

    async def _show(self, thing: Thing) -> None:
        dice = random.Random(f"{self._seed}/at last")
        for waits_s in (0.0, ELSEWHERE_S):
            await asyncio.sleep(waits_s)
            for api in (0, 1, 0, 1, 1):
                await self._look(thing, api)
            if not waits_s:
                await self._change(thing, dice)

    async def _put_on_sale(
        self, seller: Person, currency: str, dice: random.Random, pieces: int | None = None
    ) -> Thing | None:
        """It, or None where it is not known whether it is there."""
        tag, quantity = _tag(dice), pieces or dice.randint(*PIECES)
        body = _details(tag, currency, dice.randint(*PRICES), quantity)
        answer = await self._asking.ask("create", seller, somewhere(dice), "POST", "/v1/products", json=body)
        if answer.status == 201:
            thing = Thing(answer.told["product_id"], seller, currency, quantity)
            thing.is_at_least(1, answer, answer.began)
            self._shelf.things[thing.id] = thing
            await self._look(thing, answer.api)
            return thing
        if answer.is_known:
            self._shelf.complaints.append(f"a new product was answered {answer.status} {answer.code}")
        else:
            self._shelf.unknown_tags.add(tag)
            await asyncio.sleep(PAUSE_S)
        return None

    async def _look(self, thing: Thing, api: int) -> Answer:
        """Read one's own product where one has just written, mostly."""
        answer = await self._asking.ask("look", None, api, "GET", f"/v1/products/{thing.id}")
        if answer.status in (200, 404):
            self._shelf.looked(thing, answer, answer.told if answer.status == 200 else None, "look of its seller")
        return answer

    async def _change(self, thing: Thing, dice: random.Random) -> None:
        """Change the price, or how many there are, of what was read."""
        looked = await self._look(thing, somewhere(dice))
        if looked.status != 200:
            return
        read, tag = looked.told, _tag(dice)
        price, quantity = read["price"], read["quantity"]
        way = dice.random()
        if way < 0.55:
            quantity += dice.randint(1, 4)
        elif way < 0.7:
            quantity = max(0, quantity - 1)
        else:
            price = dice.randint(*PRICES)
        edit = thing.edits[tag] = Edit(read["quantity"], quantity, looked.version)
        body, tags = _details(tag, thing.currency, price, quantity), {"If-Match": f'"{looked.version}"'}
        answer = await self._asking.ask(
            "edit", thing.seller, somewhere(dice), "PUT", f"/v1/products/{thing.id}", json=body, headers=tags
        )
        edit.answer = answer
        if answer.status == 200:
            thing.is_at_least(answer.told["version"], answer, answer.began)
            await self._look(thing, answer.api)
        elif answer.is_known and answer.status != 412 and answer.code != "STOCK_RESERVED":
            self._shelf.complaints.append(f"an edit of {thing.id} was answered {answer.status} {answer.code}")

    async def _take_off(self, thing: Thing, dice: random.Random) -> None:
        path, calls = f"/v1/products/{thing.id}", 0
        began = thing.going_at = asyncio.get_running_loop().time()

        async def ask(api: int) -> Answer:
            nonlocal calls
            calls += 1
            return await self._asking.ask("delete", thing.seller, api, "DELETE", path)

        answer = await self._asking.insist(ask, somewhere(dice))
        if answer.status == 204 or (answer.status == 404 and calls > 1):
            thing.is_at_least(GONE, answer, began, is_firsthand=calls == 1)
            await self._look(thing, answer.api)
        else:
            self._shelf.complaints.append(f"deleting {thing.id} was answered {answer.status} {answer.code}")


def _tag(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _details(tag: str, currency: str, price: int, quantity: int) -> dict[str, Any]:
    return {
        "title": "a thing", "condition": "new", "price": price, "currency": currency, "quantity": quantity,
        "specifications": {"edit": tag},
    }  # fmt: skip
