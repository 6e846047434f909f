"""What addresses have: tokens, and the chain's own coin."""

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.node import Node, RpcError, number
from app.contexts.chain.domain.refusals import ChainAway


class EvmBalances:
    """Asks the node. It raises ChainAway when there is no answer."""

    def __init__(self, node: Node, contract_address: str) -> None:
        self._node = node
        self._contract = contract_address

    async def tokens(self, address: str) -> int:
        """Base units of our token."""
        return await self._number(contract.balance_of(address))

    async def supply(self) -> int:
        """Base units of our token that there are."""
        return await self._number(contract.TOTAL_SUPPLY)

    async def coins(self, address: str) -> int:
        """Wei."""
        try:
            return number(await self._node.call("eth_getBalance", address, "latest"))
        except RpcError:
            raise ChainAway("the node does not tell a balance") from None

    async def minter(self) -> str:
        """Whose key mints, by the contract."""
        try:
            answer = await self._node.call("eth_call", {"to": self._contract, "data": contract.MINTER}, "latest")
            return contract.read_address(answer)
        except (RpcError, ValueError):
            raise ChainAway("the contract does not tell who mints") from None

    async def _number(self, data: str) -> int:
        try:
            answer = await self._node.call("eth_call", {"to": self._contract, "data": data}, "latest")
            return contract.read_number(answer)
        except (RpcError, ValueError):
            raise ChainAway("the contract does not tell a number") from None
