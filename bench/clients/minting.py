"""`python -m bench.clients.minting PLAN`: mints on a contract of its own, signed and sent by a bare loop.

The nonces are counted up, nothing is kept, and as much goes in one request as the adapter puts into one. It is over
once there is a receipt of each.
"""

import asyncio
import secrets
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Final
from uuid import uuid4

import msgspec
import uvloop
from coincurve import PrivateKey

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.node import Node, RpcError, node_at
from app.contexts.chain.adapters.evm.sending import BATCH
from app.contexts.chain.adapters.evm.transactions import address_of, made_by, signed
from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.domain.transactions import Signed

FEES: Final = Fees(10**11, 10**9)
"""More than the node asks for."""
DEPLOYMENT_GAS: Final = 3_000_000
MINT_GAS: Final = 200_000
RICH_WEI: Final = 10**24
LIMIT_S: Final = 100.0
LOOK_AGAIN_S: Final = 0.01
SEND_AGAIN_S: Final = 1.0


class Plan(msgspec.Struct, frozen=True):
    """So many mints, on the node that is there."""

    url: str
    chain_id: int
    mints: int


class Outcome(msgspec.Struct, frozen=True):
    """How many mints a second, until the receipt of the last; and how many the node or the contract refused."""

    rate: float
    refused: int


class Minting:
    """A key of its own, with money, and what it does at the node."""

    def __init__(self, node: Node, plan: Plan) -> None:
        self._node, self._plan = node, plan
        self._key = PrivateKey(secrets.token_bytes(32))
        self._own = address_of(self._key)

    async def deploy(self) -> None:
        """Make the contract."""
        await self._node.call("anvil_setBalance", self._own, hex(RICH_WEI))
        data = contract.deployment("Bare", "BARE", 6, self._own, self._own)
        made = signed(self._key, self._plan.chain_id, 0, FEES, DEPLOYMENT_GAS, None, data)
        await self._send([made])
        if await self._wait([made]):
            raise RuntimeError("the contract cannot be made")

    async def mint(self) -> int:
        """Mint; how many were refused."""
        to, plan, sent = made_by(self._own, 0), self._plan, list[Signed]()
        for first in range(1, plan.mints + 1, BATCH):
            last = min(first + BATCH, plan.mints + 1)
            batch = [
                signed(self._key, plan.chain_id, nonce, FEES, MINT_GAS, to, self._order())
                for nonce in range(first, last)
            ]
            await self._send(batch)
            sent += batch
        return await self._wait(sent)

    def _order(self) -> str:
        return contract.minting(uuid4(), f"0x{uuid4().hex}{uuid4().hex[:8]}", 100_000)

    async def _send(self, batch: Sequence[Signed]) -> None:
        for answer in await self._node.ask(*map(_sending, batch), timeout_s=LIMIT_S):
            if isinstance(answer, RpcError):
                raise RuntimeError(f"the node refuses it: {answer.message}")

    async def _wait(self, sent: Sequence[Signed]) -> int:
        """Wait for the receipts; how many are of what was refused.

        Raises:
            TimeoutError: one of them does not come.
        """
        refused = 0
        async with asyncio.timeout(LIMIT_S):
            for first in range(0, len(sent), BATCH):
                missing, looked = list(sent[first : first + BATCH]), perf_counter()
                while missing:
                    calls = [("eth_getTransactionReceipt", (each.tx_hash,)) for each in missing]
                    answers = await self._node.ask(*calls, timeout_s=LIMIT_S)
                    refused += sum(answer["status"] != "0x1" for answer in answers if answer)
                    missing = [each for each, answer in zip(missing, answers, strict=True) if not answer]
                    if missing:
                        await asyncio.sleep(LOOK_AGAIN_S)
                    if missing and perf_counter() > looked + SEND_AGAIN_S:  # anvil makes no block of some, now and then
                        looked = perf_counter()
                        await self._node.ask(*map(_sending, missing), timeout_s=LIMIT_S)
        return refused


def _sending(transaction: Signed) -> tuple[str, tuple[str]]:
    return "eth_sendRawTransaction", ("0x" + transaction.raw.hex(),)


async def _main(plan: Plan) -> Outcome:
    async with node_at(plan.url).opened() as node:
        minting = Minting(node, plan)
        await minting.deploy()
        began = perf_counter()
        refused = await minting.mint()
        return Outcome(plan.mints / (perf_counter() - began), refused)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Plan)))))
