"""The tour's second part: a thing is sold, from the shelf to the seller's wallet; and two want the last piece."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from app.main.demo_market import CURRENCY, Market, Person, headline, money, say

PRICE: Final = 2_500
MONEY: Final = 10_000
FEE_BP: Final = 250
"""What the house takes of a sale, in hundredths of a percent."""

_EVENTS: Final = ("order.paid", "order.shipped", "order.completed")


class Sale:
    """Tells the story."""

    def __init__(self, market: Market) -> None:
        self._market = market

    async def tell(self) -> Person:
        """List, find, order, ship, complete; then two orders at once for what is left. Who bought first."""
        market = self._market
        seller, buyer, other = await asyncio.gather(
            market.staff("cleo", "seller"), market.customer("dora", MONEY), market.customer("eve", MONEY)
        )
        product = await market.post(seller, "/v1/products", 201, self._thing())
        found = await market.get(buyer, "/v1/products", q="red kettle")
        headline("a sale", "A seller lists a thing; a buyer finds it by words, and pays for it out of the wallet.")
        say("listed", f"{product['title']}: {money(product['price'])}, {product['quantity']} pieces")
        say("search", f'"red kettle" finds {len(found["products"])}, {found["products"][0]["available"]} available')
        cart = await self._put_into_cart(buyer, product)
        say("cart", f"{cart['items'][0]['qty']} of it, {money(cart['total'])}")
        status, answer = await self._check_out(buyer)
        order = answer["orders"][0]
        say("checkout", f"{status}, the order is {order['status']}: the buyer has {await self._stands(buyer)}")
        await self._close(seller, buyer, order)
        await self._last_piece(product, buyer, other)
        return buyer

    async def _close(self, seller: Person, buyer: Person, order: Mapping[str, Any]) -> None:
        path = f"/v1/orders/{order['order_id']}"
        shipped = await self._market.post(seller, f"{path}/ship", 200, {"tracking": "1Z 999"})
        say("shipped", f"the seller has {await self._stands(seller)}: {money(shipped['fee'])} are the house's fee")
        completed = await self._market.post(buyer, f"{path}/complete", 200)
        say("at last", f"the order is {completed['status']}, the buyer has {await self._stands(buyer)}")
        say("events", ", ".join(await self._audited(order["order_id"])))

    async def _last_piece(self, product: Mapping[str, Any], *buyers: Person) -> None:
        headline("two want the last piece at once", "One gets it. The other is told so, and has paid nothing.")
        for buyer in buyers:
            await self._put_into_cart(buyer, product)
        results = await asyncio.gather(*map(self._check_out, buyers))
        for status, answer in sorted(results, key=lambda result: result[0]):
            code = answer.get("error", {}).get("code")
            say("answer", f"{status} {code or 'the order is ' + answer['orders'][0]['status']}")
        late = next(buyer for buyer, (status, _) in zip(buyers, results, strict=True) if status != 201)
        left = await self._market.get(late, f"/v1/products/{product['product_id']}")
        say("stock", f"{left['quantity']} left, {left['available']} available")
        say("balance", f"who came late has {await self._stands(late)}")

    async def _put_into_cart(self, buyer: Person, product: Mapping[str, Any]) -> Any:
        return await self._market.post(buyer, "/v1/cart/items", 201, {"product_id": product["product_id"], "qty": 1})

    async def _check_out(self, buyer: Person) -> tuple[int, Any]:
        return await self._market.send(buyer, "POST", "/v1/orders", {"expected_total": PRICE}, 201, 409)

    async def _stands(self, who: Person) -> str:
        """What somebody has."""
        balance = (await self._market.get(who, "/v1/wallet"))["balances"][0]
        held = f", and {money(balance['held'])} set aside" if balance["held"] else ""
        return f"{money(balance['current_balance'])}{held}"

    async def _audited(self, order_id: str) -> list[str]:
        """The events of an order, once all of them are in the audit trail."""
        rows = await self._market.rows(
            "SELECT o.type FROM ordering.outbox_events o JOIN audit.events a USING (event_id)"
            " WHERE o.subject = %s ORDER BY o.sequence",
            order_id,
            at_least=len(_EVENTS),
        )
        return [name for (name,) in rows]

    def _thing(self) -> Mapping[str, Any]:
        return {
            "title": "Enamel kettle, red", "condition": "like_new", "price": PRICE, "currency": CURRENCY, "quantity": 2
        }  # fmt: skip
