"""A node, as what deploys and what rebuilds sees it."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.node import Node, RpcError, number
from app.contexts.chain.adapters.evm.sending import SPARE_GAS, EvmSending
from app.contexts.chain.adapters.evm.watching import EvmWatching
from app.contexts.chain.application.ports import Head, Sent
from app.contexts.chain.domain.refusals import CannotDeploy, ChainAway
from app.contexts.chain.domain.transactions import Minted
from app.platform.eip55 import checksummed

_NOBODY: Final = UUID(int=0)


class EvmDeploying:
    """It implements `Deploying` and `Telling`."""

    def __init__(self, node: Node, watching: EvmWatching, sending: EvmSending) -> None:
        self._node = node
        self._watching = watching
        self._sending = sending

    async def look(self, sender: str) -> Head:
        """See `Deploying.look`."""
        return await self._watching.head([sender])

    async def are_ours(self, addresses: Sequence[str], minter: str | None) -> Sequence[bool]:
        """See `Deploying.are_ours`."""
        asked = [
            ("eth_call", ({"to": address, "data": data}, "latest"))
            for address in addresses
            for data in (contract.known(_NOBODY), contract.MINTER)
        ]
        answers = await self._node.ask(*asked)
        return [_is_ours(known, whose, minter) for known, whose in zip(answers[::2], answers[1::2], strict=True)]

    async def gas(self, sender: str, data: str, fee: int) -> int:
        """See `Deploying.gas`."""
        asked = ("eth_getBalance", (sender, "latest")), ("eth_estimateGas", ({"from": sender, "data": data},))
        coins, estimate = await self._node.ask(*asked)
        if isinstance(coins, RpcError):
            raise ChainAway("the node does not tell a balance")
        if isinstance(estimate, RpcError):
            has = f"{checksummed(sender)} has {_in_coins(number(coins))} to pay with"
            raise CannotDeploy(f"the node says that the contract cannot be made; {has}")
        gas = SPARE_GAS * number(estimate)
        if number(coins) < gas * fee:
            has = f"{checksummed(sender)} has {_in_coins(number(coins))} to pay for gas with"
            raise CannotDeploy(f"{has}, and the contract takes up to {_in_coins(gas * fee)}")
        return gas

    async def send(self, transactions: Sequence[bytes]) -> Sequence[Sent]:
        """See `Deploying.send`."""
        return await self._sending.send(transactions)

    async def pending(self, sender: str) -> int:
        """See `Telling.pending`."""
        pending, latest = await self._node.ask(
            *(("eth_getTransactionCount", (sender, block)) for block in ("pending", "latest"))
        )
        return number(latest if isinstance(pending, RpcError) else pending)

    async def events(self, first: int, last: int) -> Sequence[Minted]:
        """See `Telling.events`."""
        return await self._watching.events(first, last)


def _in_coins(wei: int) -> str:
    return f"{wei / 10**18:.6f} of the chain's coin"


def _is_ours(known: Any, whose: Any, minter: str | None) -> bool:
    try:
        return contract.read_number(known) in (0, 1) and contract.read_address(whose) == (
            minter or contract.read_address(whose)
        )
    except ValueError:
        return False
