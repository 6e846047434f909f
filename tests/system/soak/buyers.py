"""Buyers: they fill carts and check out under keys until it is known; orders are shipped, cancelled, completed."""

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.system.e2e.crowd import Person
from tests.system.soak.asking import Answer, Asking, somewhere
from tests.system.soak.deeds import Close, Deed, Order, malformed
from tests.system.soak.shelf import Shelf

PAUSE_S: Final = 0.6
"""The longest that one rests between two carts."""
RACERS: Final = 4
LATE_S: Final = 40.0
"""So long a request of which nothing was heard may lie with a process that is stopped, and change a cart yet."""
Fate = tuple[str, ...]
# What becomes of an order: who does what, one after the other; "both" at once.
_FATES: Final[dict[Fate, int]] = {
    ("ship",): 15,
    ("ship", "complete"): 30,
    ("cancel by buyer",): 12,
    ("cancel by seller",): 10,
    ("both",): 15,
    (): 18,
}


class Buyers:
    """Their work, and the record of it. `currencies` are those of each one's wallets."""

    def __init__(
        self,
        asking: Asking,
        shelf: Shelf,
        currencies: Mapping[Person, Sequence[str]],
        sellers: Mapping[str, Person],
        seed: int,
    ) -> None:
        self.sales: list[Deed] = []
        self.orders: dict[str, Order] = {}
        self.complaints: list[str] = []
        self._asking = asking
        self._shelf = shelf
        self._currencies = currencies
        self._sellers = sellers
        self._seed = seed
        self._unheard: dict[Person, float] = {}
        self._loop = asyncio.get_running_loop()

    async def run(self, stop: asyncio.Event) -> None:
        """Let all of them work until told to stop, and finish what they have begun."""
        async with asyncio.TaskGroup() as tasks:
            for number, buyer in enumerate(self._currencies):
                tasks.create_task(self._work(buyer, random.Random(f"{self._seed}/buyer/{number}"), stop))

    async def at_last(self) -> None:
        """With nothing in the way: each buys once more, two things of one seller, and cancels that."""
        await asyncio.gather(*map(self._buy_and_cancel, self._currencies))

    async def _buy_and_cancel(self, buyer: Person) -> None:
        dice = random.Random(f"{self._seed}/{buyer.id} at last")
        pairs = [pair for one in self._currencies[buyer] if (pair := self._shelf.pairs.get(one))]
        cart = await self._cart(buyer, dice)
        if not pairs or cart is None:
            return
        for item in cart["items"]:
            await self._change(buyer, dice, "DELETE", f"/items/{item['item_id']}")
        for thing in dice.choice(pairs):
            await self._change(buyer, dice, "POST", "/items", product_id=thing.id, qty=1)
        if (cart := await self._cart(buyer, dice)) is not None:
            await self._check_out(buyer, cart, dice, ("cancel by buyer",))

    async def _work(self, buyer: Person, dice: random.Random, stop: asyncio.Event) -> None:
        while not stop.is_set():
            cart = await self._fill(buyer, dice)
            if cart is not None:
                await self._check_out(buyer, cart, dice)
            await asyncio.sleep(dice.uniform(0, PAUSE_S))

    async def _fill(self, buyer: Person, dice: random.Random) -> dict[str, Any] | None:
        """The cart with something in it, sometimes with nothing; None where it could not be learned."""
        cart = await self._cart(buyer, dice)
        if cart is None:
            return None
        for item in cart["items"]:
            if item["available"] < item["qty"] or dice.random() < 0.5:
                await self._change(buyer, dice, "DELETE", f"/items/{item['item_id']}")
                cart = await self._cart(buyer, dice) or cart
        currency = cart["currency"] or dice.choice(self._currencies[buyer])
        wanted = self._shelf.live(currency)
        for thing in dice.sample(wanted, min(len(wanted), dice.choice([1, 1, 2, 3]))):
            await self._change(buyer, dice, "POST", "/items", product_id=thing.id, qty=dice.choice([1, 1, 1, 2]))
        if cart["items"] and dice.random() < 0.2:
            await self._change(buyer, dice, "PUT", f"/items/{cart['items'][0]['item_id']}", qty=1)
        return await self._cart(buyer, dice)

    async def _cart(self, buyer: Person, dice: random.Random) -> dict[str, Any] | None:
        answer = await self._asking.insist(
            lambda api: self._asking.ask("cart", buyer, api, "GET", "/v1/cart"), somewhere(dice)
        )
        cart: dict[str, Any] | None = answer.told if answer.status == 200 else None
        if cart is not None and cart["total"] != sum(item["qty"] * item["price"] for item in cart["items"]):
            self.complaints.append(f"cart {cart['cart_id']} does not sum to {cart['total']}")
        return cart

    async def _change(self, buyer: Person, dice: random.Random, method: str, path: str, **body: Any) -> None:
        """Once: whatever it came to, the cart says."""
        asked = {"json": body} if body else {}
        answer = await self._asking.ask("fill", buyer, somewhere(dice), method, f"/v1/cart{path}", **asked)
        if not answer.is_known:
            self._unheard[buyer] = self._loop.time()
        elif answer.status >= 400 and answer.code not in ("NOT_FOUND", "CURRENCY_MIXED", "VALIDATION_ERROR"):
            self.complaints.append(f"{method} /v1/cart{path} was answered {answer.status} {answer.code}")

    async def _check_out(
        self, buyer: Person, cart: dict[str, Any], dice: random.Random, fate: Fate | None = None
    ) -> None:
        """Under a key, until it is known; now and then several times at once, everywhere."""
        total, key = cart["total"], str(uuid.UUID(int=dice.getrandbits(128), version=4))
        asked = {"expected_total": total + 1 if dice.random() < 0.05 else total}
        sale = Deed("checkout", buyer, "/v1/orders", asked, self._loop.time(), key)
        self.sales.append(sale)
        before = {id_: thing.newest for id_, thing in self._shelf.things.items()}
        first, many = somewhere(dice), RACERS if dice.random() < 0.15 else 1
        await asyncio.gather(*(self.insist(sale, first + nth) for nth in range(many)))
        self.complaints += malformed(sale)
        self._see_to_cart(buyer, sale, cart, await self._cart(buyer, dice))
        orders = [Order(sale, told) for told in sale.told["orders"]] if sale.status == 201 else []
        self.orders |= {order.id: order for order in orders}
        for product in {product for order in orders for product in order.pieces}:  # it was reserved, and it was taken
            self._moved(sale, product, before[product] + 2)
        for order in orders:
            await self._go_on(order, dice, fate or dice.choices(list(_FATES), list(_FATES.values()))[0])

    def _see_to_cart(self, buyer: Person, sale: Deed, before: dict[str, Any], after: dict[str, Any] | None) -> None:
        """After a refusal it is as before, after a sale there is another; unless something late may change it."""
        if after is None or not sale.status or self._unheard.get(buyer, 0) > self._loop.time() - LATE_S:
            return
        had, has = (sorted((i["product_id"], i["qty"]) for i in cart["items"]) for cart in (before, after))
        is_other = before["cart_id"] != after["cart_id"]
        if (sale.status == 201 and (has or not is_other)) or (sale.status != 201 and (has != had or is_other)):
            self.complaints.append(f"{sale.name}: {sale.outcome}, and the cart had {had}, and has {has}")

    async def _go_on(self, order: Order, dice: random.Random, fate: Fate) -> None:
        buyer, seller = order.sale.who, self._sellers[order.paid["seller_id"]]
        for step in fate:
            match step:
                case "ship" | "complete":
                    await self._close(order, step, seller if step == "ship" else buyer, dice)
                case "cancel by buyer" | "cancel by seller":
                    await self._close(order, "cancel", buyer if step.endswith("buyer") else seller, dice)
                case _:
                    await asyncio.gather(
                        self._close(order, "ship", seller, dice), self._close(order, "cancel", buyer, dice)
                    )
        path = f"/v1/orders/{order.id}"
        found = await self._asking.ask("order", dice.choice([buyer, seller]), somewhere(dice), "GET", path)
        if found.status not in (0, 503) and (found.status != 200 or found.told["status"] != order.status):
            self.complaints.append(f"order {order.id} is {order.status}, and shown as {found.body[:300]!r}")

    async def _close(self, order: Order, what: Close, who: Person, dice: random.Random) -> None:
        told = {"ship": {"tracking": f"parcel {dice.randrange(1000)}"}, "cancel": {"reason": "so"}, "complete": {}}
        deed = Deed(what, who, f"/v1/orders/{order.id}/{what}", told[what], self._loop.time())
        order.closings.append(deed)
        before = {product: self._shelf.things[product].newest for product in order.pieces}
        await asyncio.gather(*(self.insist(deed, nth) for nth in range(2 if dice.random() < 0.15 else 1)))
        if what == "cancel" and deed.status == 200:
            for product, version in before.items():  # it was given back
                self._moved(deed, product, version + 1)

    def _moved(self, deed: Deed, product: str, version: int) -> None:
        is_firsthand = deed.calls == 1  # else somebody else may have done it
        self._shelf.things[product].is_at_least(version, deed.finals[0], deed.began, is_firsthand=is_firsthand)

    async def insist(self, deed: Deed, api: int) -> None:
        """Ask until it is known."""

        async def ask(at: int) -> Answer:
            deed.calls += 1
            headers = {"Idempotency-Key": deed.key} if deed.key else {}
            request: dict[str, Any] = {} if deed.what == "complete" else {"json": deed.asked}
            return await self._asking.ask(deed.what, deed.who, at, "POST", deed.path, headers=headers, **request)

        answer = await self._asking.insist(ask, api)
        if answer.is_known:
            deed.finals.append(answer)
