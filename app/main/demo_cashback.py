"""The tour's fourth part: what was bought comes back as tokens on a chain, once, though who mints them is killed."""

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import click
import httpx

from app.contexts.chain.adapters.evm.contract import MINTED, request_topic
from app.main.demo_market import CURRENCY, Market, Person, headline, money, say
from app.main.demo_wallet import Wallet
from app.platform.process import run_state as state
from app.platform.process.processes import ProcessId

BASIS_POINTS: Final = 100

_AT_THE_TILL: Final = 4_000
_GIVEN_BACK: Final = 2_000
_WHILE_NO_BLOCK_COMES: Final = 10_000
_LIMIT_S: Final = 240.0
_NO: Final = (False,)
_MINTS: Final = "SELECT status FROM chain.blockchain_transactions WHERE request_id = %s AND status <> 'SIGNED'"
_EVENTS: Final = (
    "SELECT o.type FROM (SELECT event_id, subject, sequence, created_at, type FROM rewards.outbox_events"
    " UNION ALL SELECT event_id, subject, sequence, created_at, type FROM mint.outbox_events) o"
    " JOIN audit.events a USING (event_id) WHERE o.subject = %s ORDER BY o.created_at, o.sequence"
)

Balance = Mapping[str, Any]


class Cashback:
    """Tells the story. A rule has to be there before the sale, which earns by it: `begin` makes one."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._till: Person | None = None

    async def begin(self) -> None:
        """Make the rule."""
        admin = await self._market.staff("ruth", "admin")
        rule = {"basis_points": BASIS_POINTS, "currency": CURRENCY}
        await self._market.post(admin, "/v1/rewards/rules", 201, rule)

    async def tell(self, buyer: Person) -> None:
        """What the sale has earned is minted, and what a till tells of; some is taken back; an adapter is killed."""
        headline("cashback", "What is bought comes back by a rule, as tokens on a private chain.")
        say("rule", f"{BASIS_POINTS / 100:g} % of what is bought in {CURRENCY}, made before the sale")
        earned = await self._balance(buyer, lambda now: int(now["accrued"]) > 0)
        say("order", f"the sale has earned {_tokens(earned['accrued'])}, kept for want of an address")
        await self._link(buyer)
        say("on chain", _stands(await self._settled(buyer)))
        self._till = await self._market.machine("till-1", "purchases:write")
        bought = await self._buy(buyer, _AT_THE_TILL)
        cashback = bought["cashback"]
        say("till", f"201, a purchase of {money(bought['amount'])} earns {_tokens(cashback['amount'])}")
        say("on chain", _stands(await self._settled(buyer)))
        path = f"/v1/purchases/{bought['purchase_id']}/refund"
        given_back = await self._market.post(self._till, path, 201, {"amount": _GIVEN_BACK, "reference": "return 1"})
        say("refund", f"{money(given_back['amount'])} are given back, {_tokens(given_back['reversed'])} taken back")
        say("on chain", _stands(await self._balance(buyer, lambda now: now["on_chain"] is not None)))
        kinds = await self._market.rows(_EVENTS, cashback["entry_id"], at_least=4)
        say("events", ", ".join(kind for (kind,) in kinds))
        await self._killed(buyer)

    async def _killed(self, buyer: Person) -> None:
        """Kill the adapter with a mint on its way: sent, and in no block."""
        headline("a mint whose adapter is killed", "kill -9 while a mint is in no block; then there are blocks again.")
        await self._node("evm_setAutomine", *_NO)
        await self._node("evm_setIntervalMining", 0)
        bought = await self._buy(buyer, _WHILE_NO_BLOCK_COMES)
        asked = await self._minting(bought["cashback"]["entry_id"])
        earned = _tokens(bought["cashback"]["amount"])
        say("till", f"201, a purchase of {money(bought['amount'])} earns {earned}: the debt is paid first")
        ((status,),) = await self._market.rows(_MINTS, asked["request_id"])
        say("mint", f"{_tokens(asked['amount'])} are asked for: {status}, and in no block")
        killed = self._adapter()
        os.killpg(killed.pid, signal.SIGKILL)
        say("kill -9", "the adapter is dead")
        await self._node("evm_setIntervalMining", 1)
        say("on chain", _stands(await self._settled(buyer)))
        again = "another process" if self._adapter() != killed else "the same process!"
        say("adapter", f"{again} has followed it to its end")
        say("contract", f"told of that mint {await self._told(uuid.UUID(asked['request_id']))}")

    async def _link(self, buyer: Person) -> None:
        wallet = Wallet()
        proof = wallet.proof(await self._market.get(buyer, "/v1/auth/nonce"))
        _, answer = await self._market.send(buyer, "PATCH", "/v1/auth/me", proof, 200)
        say("wallet", f"linked by a signed message: {answer['user']['wallet_address']}")

    async def _buy(self, buyer: Person, amount: int) -> Any:
        assert self._till is not None
        body = {
            "user_id": buyer.id, "merchant": "tea house", "external_reference": f"receipt of {amount}",
            "amount": amount, "currency": CURRENCY,
        }  # fmt: skip
        return await self._market.post(self._till, "/v1/purchases", 201, body)

    async def _minting(self, entry_id: str) -> Mapping[str, Any]:
        """What was asked for."""
        query = "SELECT request_id::text, amount::text FROM mint.mint_requests WHERE entry_id = %s"
        ((request_id, amount),) = await self._market.rows(query, entry_id)
        return {"request_id": request_id, "amount": amount}

    async def _settled(self, who: Person) -> Balance:
        """How somebody stands once nothing waits, and the contract says so."""
        return await self._balance(
            who, lambda now: now["accrued"] == now["minting"] == "0" and now["on_chain"] == now["minted"]
        )  # fmt: skip

    async def _balance(self, who: Person, is_wanted: Callable[[Balance], bool]) -> Balance:
        async with asyncio.timeout(_LIMIT_S):
            while True:
                now: Balance = await self._market.get(who, "/v1/cashback/balance")
                if is_wanted(now):
                    return now
                await asyncio.sleep(0.1)

    def _adapter(self) -> ProcessId:
        run = state.read(self._market.base)
        assert run is not None
        return run.processes["chain"]

    async def _told(self, request_id: uuid.UUID) -> str:
        """How often the contract says that it has minted for the request."""
        contract = state.discovered(self._market.base)["CHAIN_CONTRACT"]
        wanted = {"address": contract, "fromBlock": "0x0", "topics": [MINTED, request_topic(request_id)]}
        events = await self._node("eth_getLogs", wanted)
        return "once" if len(events) == 1 else f"{len(events)} times!"

    async def _node(self, method: str, *params: object) -> Any:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with httpx.AsyncClient(timeout=30, trust_env=False) as node:
            answer = (await node.post(state.urls(self._market.base)["node"], json=asked)).json()
        if "error" in answer:
            raise click.ClickException(f"the node refuses {method}: {answer['error']}")
        return answer["result"]


def _tokens(base_units: str) -> str:
    return f"{Decimal(base_units).scaleb(-6):.2f} tokens"


def _stands(now: Balance) -> str:
    """What the contract says, beside what the ledger does."""
    owed = f", {_tokens(now['debt'])} owed" if now["debt"] != "0" else ""
    return f"{_tokens(now['on_chain'])}, by the ledger {_tokens(now['minted'])}{owed}"
