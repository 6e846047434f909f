"""The tour's fifth part: a part of a payment is given back, two are paid at once, and a program hears of it all."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.main.demo_market import CURRENCY, Market, Person, headline, money, say
from app.main.demo_receiver import receiving
from app.main.local.announce import DEMO_PROVIDER

MONEY: Final = 10_000
_BILL, _BACK, _WAGE = 2_500, 500, 1_000
_SCOPES: Final = ("payments:write", "payments:refund", "transfers:write", "webhooks:manage", "finance:read")
_TYPES: Final = ("payment.completed", "refund.completed", "transfer.completed")


class Business:
    """Tells the story."""

    def __init__(self, market: Market) -> None:
        self._market = market

    async def tell(self) -> None:
        """Pay, give back, pay out, hear of it, and draw the books."""
        market = self._market
        karl, _, _ = await asyncio.gather(*(market.customer(name, MONEY) for name in ("karl", "lara", "milo")))
        office = await market.machine("office", *_SCOPES)
        async with receiving() as receiver:
            webhook = await market.post(office, "/v1/webhooks", 201, {"url": receiver.url, "types": _TYPES})
            receiver.secret = webhook["secret"]
            await self._give_back(office, karl)
            await self._pay_out(office, karl)
            headline("a program hears of it", "Its webhook is sent each event, signed, until it answers 2xx.")
            say("heard", ", ".join(sorted(await receiver.heard(4))))
            say("forged", f"{await receiver.forged()} to whoever has not the secret")
        await self._draw_the_books(office, karl)

    async def _give_back(self, office: Person, karl: Person) -> None:
        headline("money is given back", "A bill is paid. A part of it is promised, asked of the gateway, credited.")
        bill = {"user_id": karl.id, "provider_id": DEMO_PROVIDER, "external_reference": "bill 7"}
        paid = await self._market.post(office, "/v1/payments", 201, bill | {"amount": _BILL, "currency": CURRENCY})
        say("paid", f"{money(paid['amount'])}: {paid['status']}")
        path = f"/v1/payments/{paid['payment_id']}/refunds"
        refund = await self._market.post(office, path, 201, {"amount": _BACK, "reason": "a cup was broken"})
        say("refund", f"{money(refund['amount'])}: {refund['status']}, and Karl has {await self._stands(karl)}")
        status, answer = await self._market.send(office, "POST", path, {"amount": _BILL}, 409)
        left = money(answer["error"]["details"]["refundable"])
        say("too much", f"{status} {answer['error']['code']}: {left} are left to give back")

    async def _pay_out(self, office: Person, karl: Person) -> None:
        headline("two are paid at once", "All of them or nobody, in one transaction, with one answer.")
        status, answer = await self._bulk(office, karl, "lara", "nobody")
        (refused,) = answer["error"]["details"]["errors"]
        say("bulk", f"{status} {answer['error']['code']}: line {refused['index']} {refused['code']}")
        status, answer = await self._bulk(office, karl, "lara", "milo")
        say("mended", f"{status}, {answer['completed']} completed, and Karl has {await self._stands(karl)}")

    async def _bulk(self, office: Person, payer: Person, *names: str) -> tuple[int, Any]:
        lines: Sequence[Any] = [{"to": name, "amount": _WAGE, "currency": CURRENCY} for name in names]
        body = {"from": payer.id, "mode": "all", "transfers": lines}
        return await self._market.send(office, "POST", "/v1/wallet/send/bulk", body, 201, 409)

    async def _draw_the_books(self, office: Person, karl: Person) -> None:
        headline("a statement", "What stood, every movement, what stands: the same whenever it is asked for.")
        now = datetime.now(UTC)
        between = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
        path = f"/v1/users/{karl.id}/wallet/statement"
        books = await self._market.get(office, path, currency=CURRENCY, **between)
        say("opening", money(books["opening"]))
        for line in books["lines"]:
            say("", f"{'−' if line['direction'] == 'DEBIT' else '+'}{money(line['amount'])} {line['kind']}")
        say("closing", money(books["closing"]))

    async def _stands(self, who: Person) -> str:
        return money((await self._market.get(who, "/v1/wallet"))["balances"][0]["current_balance"])
