"""The tour's third part: two bid for a lamp, one buys another at once; a minute later, by itself, the first is sold."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.main.demo_market import CURRENCY, Market, Person, headline, money, say

MONEY: Final = 10_000
LASTS_S: Final = 62
"""A minute is the least."""

_EVENTS: Final = 5


class Auctions:
    """Tells the story."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._lot: Mapping[str, Any] = {}
        self._bidders: list[tuple[str, Person]] = []

    async def begin(self) -> None:
        """Open one, and bid; then another, which is bought at once. The first is left to its end."""
        market = self._market
        seller, hugo, ines = await asyncio.gather(
            market.staff("gina", "seller"), market.customer("hugo", MONEY), market.customer("ines", MONEY)
        )
        self._bidders = [("Hugo", hugo), ("Ines", ines)]
        product = await market.post(seller, "/v1/products", 201, self._thing())
        headline("an auction", "Two bid for a lamp, each up to a maximum that nobody is told. Who leads is a number.")
        self._lot = await self._open(seller, product)
        await self._bid(hugo, "Hugo", 1_000, 2_500)
        await self._bid(ines, "Ines", 1_100, 1_800)
        await self._bid(ines, "Ines", 2_000, 3_000)
        await self._bid(hugo, "Hugo", 2_000)
        await market.rows("SELECT FROM wallet_balances WHERE user_id = %s AND held = 0", hugo.id)
        say("money", f"Hugo has {await self._stands(hugo)}, Ines {await self._stands(ines)}")
        headline("bought at once", "Ines leads another one. Hugo pays its price, and she has her money back.")
        other = await self._open(seller, product)
        await self._bid(ines, "Ines", 1_000)
        order = (await market.post(hugo, f"/v1/auctions/{other['auction_id']}/buy", 201))["order"]
        say("bought", f"the order is {order['status']}, {money(order['total'])}; Ines has {await self._stands(ines)}")

    async def end(self) -> None:
        """Its end has come, or does: somebody has it, without anybody's doing."""
        headline("the auction's end", "Its minute is over. Recovery has made the winner's order, once.")
        auction_id = self._lot["auction_id"]
        query = (
            "SELECT extract(epoch FROM created_at - (payload->'data'->>'ends_at')::timestamptz)::float8"
            " FROM auctions.outbox_events WHERE subject = %s AND type = 'auction.ended'"
        )
        ((late_s,),) = await self._market.rows(query, auction_id)
        for name, who in self._bidders:
            seen = await self._market.get(who, f"/v1/auctions/{auction_id}")
            if seen["leading"]:
                order = await self._market.get(who, f"/v1/orders/{seen['order_id']}")
                say("sold", f"to {name}: the order is {order['status']}, {money(order['total'])}")
        say("closed", f"by `strongbox recover`, {late_s:.1f} s behind its end")
        events = await self._market.rows(
            "SELECT o.type FROM auctions.outbox_events o JOIN audit.events a USING (event_id)"
            " WHERE o.subject = %s ORDER BY o.sequence",
            auction_id,
            at_least=_EVENTS,
        )
        say("events", ", ".join(name for (name,) in events))

    async def _open(self, seller: Person, product: Mapping[str, Any]) -> Mapping[str, Any]:
        ends_at = datetime.now(UTC) + timedelta(seconds=LASTS_S)
        said = {
            "product_id": product["product_id"], "starting_price": 1_000, "buy_now_price": 6_000, "currency": CURRENCY,
            "ends_at": ends_at.isoformat(),
        }  # fmt: skip
        opened: Mapping[str, Any] = await self._market.post(seller, "/v1/auctions", 201, said)
        say("opened", f"{product['title']}: from {money(opened['starting_price'])}, for a minute")
        return opened

    async def _bid(self, who: Person, name: str, amount: int, most: int | None = None) -> None:
        lot = (await self._market.get(who, "/v1/auctions", sort="newest", limit="1"))["auctions"][0]["auction_id"]
        body = {"amount": amount} | ({} if most is None else {"max_amount": most})
        status, answer = await self._market.send(who, "POST", f"/v1/auctions/{lot}/bids", body, 201, 409)
        up_to = "" if most is None else f", up to {money(most)}"
        if status == 409:
            error = answer["error"]
            least = error["details"]["minimum_bid"]
            say("bid", f"{name} {money(amount)}{up_to}: {error['code']}, {money(least)} is the least")
        else:
            leads = "leads" if answer["leading"] else "does not lead"
            say("bid", f"{name} {money(amount)}{up_to}: {leads}, at {money(answer['current_price'])}")

    async def _stands(self, who: Person) -> str:
        balance = (await self._market.get(who, "/v1/wallet"))["balances"][0]
        held = f", and {money(balance['held'])} set aside" if balance["held"] else ""
        return f"{money(balance['current_balance'])}{held}"

    def _thing(self) -> Mapping[str, Any]:
        return {"title": "Brass lamp", "condition": "good", "price": 8_000, "currency": CURRENCY, "quantity": 2}
