"""Bidders: they outbid one another in a few auctions, under keys until it is known, and raise while they lead. At last
an admin calls the auctions off: whoever led has everything back.
"""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Answer, Asking, somewhere
from tests.system.soak.deeds import Deed
from tests.system.soak.moves import Account

BIDDERS: Final = 8
AUCTIONS: Final = 3
CURRENCY: Final = "USD"
FUNDED: Final = 200_000
"""What each of them has: enough for many, and not for all that they come to bid."""
PAUSE_S: Final = 0.4
"""The longest that one rests between two bids."""
RACERS: Final = 3
REFUSED: Final = ("BID_TOO_LOW", "INSUFFICIENT_FUNDS")


class Bidders:
    """Their work, and the record of it. They are nobody else, and have no other money."""

    def __init__(self, asking: Asking, seller: Person, admin: Person, crowd: Sequence[Person], seed: int) -> None:
        self.bids: list[Deed] = []
        self.ends: list[Deed] = []
        self.auctions: list[str] = []
        self.products: set[str] = set()
        self.complaints: list[str] = []
        self._asking = asking
        self._seller = seller
        self._admin = admin
        self._crowd = crowd
        self._seed = seed
        self._loop = asyncio.get_running_loop()

    async def open(self) -> None:
        """Open the auctions, each of the one piece of a product. Nothing is in the way yet."""
        for number in range(AUCTIONS):
            about = {"title": "a piece", "condition": "new", "price": 100, "currency": CURRENCY, "quantity": 1}
            product = str((await self._made("/v1/products", about))["product_id"])
            self.products.add(product)
            terms = {
                "product_id": product,
                "starting_price": 100,
                "reserve_price": 5_000 if number else None,
                "currency": CURRENCY,
                "ends_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat(),
            }
            given = {name: value for name, value in terms.items() if value is not None}
            self.auctions.append(str((await self._made("/v1/auctions", given))["auction_id"]))

    async def _made(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        answer = await self._asking.ask("open", self._seller, 0, "POST", path, json=asked)
        assert answer.status == 201, f"{path} was answered {answer.status} {answer.body[:300]!r}"
        made: dict[str, Any] = answer.told
        return made

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        async with asyncio.TaskGroup() as tasks:
            for number, bidder in enumerate(self._crowd):
                tasks.create_task(self._work(bidder, random.Random(f"{self._seed}/bidder/{number}"), stop))

    async def _work(self, bidder: Person, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._bid(bidder, dice.choice(self.auctions), dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def at_last(self) -> None:
        """With nothing in the way: each bids once more, and then all is called off."""
        for number, bidder in enumerate(self._crowd):
            dice = random.Random(f"{self._seed}/bidder/{number} at last")
            await self._bid(bidder, dice.choice(self.auctions), dice)
        for auction in self.auctions:
            end = Deed("call off", self._admin, f"/v1/auctions/{auction}/cancel", {}, self._loop.time())
            self.ends.append(end)
            await self.insist(end, 0)

    async def _bid(self, bidder: Person, auction: str, dice: random.Random) -> None:
        """What is high enough, mostly, and up to how much one would go; now and then several times at once."""
        seen = await self._asking.ask("auction", bidder, somewhere(dice), "GET", f"/v1/auctions/{auction}")
        if seen.status != 200:
            return
        view = seen.told
        if view["leading"] and dice.random() < 0.7:
            return
        amount = max(1, view["minimum_bid"] + dice.choice([0, 0, dice.randint(0, 900), -dice.randint(1, 90)]))
        asked = {"amount": amount, "max_amount": amount + dice.choice([0, dice.randint(0, 3_000)])}
        key = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        bid = Deed("bid", bidder, f"/v1/auctions/{auction}/bids", asked, self._loop.time(), key)
        self.bids.append(bid)
        first, many = somewhere(dice), RACERS if dice.random() < 0.15 else 1
        await asyncio.gather(*(self.insist(bid, first + nth) for nth in range(many)))
        if bid.status not in (0, 201) and bid.outcome not in REFUSED:
            self.complaints.append(f"{bid.name}: was answered {bid.status} {bid.outcome}")

    async def insist(self, deed: Deed, api: int) -> None:
        """Ask until it is known."""

        async def ask(at: int) -> Answer:
            deed.calls += 1
            given: dict[str, Any] = {"json": deed.asked} if deed.asked else {}
            headers = {"Idempotency-Key": deed.key} if deed.key else {}
            return await self._asking.ask(deed.what, deed.who, at, "POST", deed.path, headers=headers, **given)

        answer = await self._asking.insist(ask, api)
        if answer.is_known:
            deed.finals.append(answer)

    def placed(self) -> dict[str, tuple[str, str, int, int]]:
        """The bids that were told to count, by id: auction, bidder, sequence and amount."""
        told = [(bid, bid.told) for bid in self.bids if bid.status == 201]
        return {
            told["bid_id"]: (bid.path.split("/")[3], str(bid.who.id), told["sequence"], told["amount"])
            for bid, told in told
        }

    def effects(self) -> Counter[Account]:
        """What they have in the end: all that they began with."""
        return Counter({(str(bidder.id), CURRENCY): FUNDED for bidder in self._crowd})
