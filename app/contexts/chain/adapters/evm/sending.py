"""A node, as what signs and sends sees it."""

import re
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.node import Node, RpcError, number
from app.contexts.chain.application.ports import Sent, Terms
from app.contexts.chain.domain.fees import Market
from app.contexts.chain.domain.refusals import ChainAway

_log = structlog.get_logger(__name__)

BATCH: Final = 64
"""Transactions in one request."""
SEND_TIMEOUT_S: Final = 10.0
"""A node that mines at once runs each of them before it answers."""
GWEI: Final = 10**9
SPARE_GAS: Final = 2
"""How many times what a mint has been seen to take is offered for one: what it costs depends on what it finds."""
_NOT_OURS: Final = "the contract lets another key mint, and ours nothing"
_SOMEBODY: Final = "0x" + 40 * "1"

# By what nodes say, as they have no codes of their own for it.
_HAS_IT: Final = re.compile("already known|already imported|known transaction|already.exists", re.IGNORECASE)
_WANTS_MORE: Final = re.compile("underpriced|fee too low|less than block base fee|gas price|fee cap", re.IGNORECASE)


class EvmSending:
    """It implements `Sending`, for the key that mints on our contract."""

    def __init__(self, node: Node, chain_id: int, contract_address: str) -> None:
        self._node = node
        self._chain_id = chain_id
        self._contract = contract_address
        self._gas: int | None = None
        self._said: str | None = None

    async def terms(self, sender: str) -> Terms:
        """See `Sending.terms`. Chain and contract are looked at each time: the node may be another one by now."""
        chain, code, minter, floor, block, tip = await self._node.ask(
            ("eth_chainId", ()),
            ("eth_getCode", (self._contract, "latest")),
            ("eth_call", ({"to": self._contract, "data": contract.MINTER}, "latest")),
            ("eth_getTransactionCount", (sender, "latest")),
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_maxPriorityFeePerGas", ()),
        )
        if number(chain) != self._chain_id:
            raise self._refused(f"the node's chain is {number(chain)}, CHAIN_ID says {self._chain_id}")
        if not isinstance(code, str) or len(code) <= 2:
            raise self._refused("there is no contract at CHAIN_CONTRACT")
        if not _is(sender, minter):
            raise self._refused(_NOT_OURS)
        market = market_of(block, tip)
        if self._gas is None:
            self._gas = await self._estimated(sender)
        self._said = None
        return Terms(number(floor), market, self._gas)

    async def send(self, transactions: Sequence[bytes]) -> Sequence[Sent]:
        """See `Sending.send`."""
        outcomes: list[Sent] = []
        for start in range(0, len(transactions), BATCH):
            batch = [("eth_sendRawTransaction", ("0x" + raw.hex(),)) for raw in transactions[start : start + BATCH]]
            try:
                answers = await self._node.ask(*batch, timeout_s=SEND_TIMEOUT_S, in_order=True)
            except ChainAway:
                # What is behind them is sent by the next round: nobody waits for a node that does not answer.
                return [*outcomes, *(len(transactions) - start) * [Sent.NOT_TAKEN]]
            outcomes += map(_outcome, answers)
        return outcomes

    async def _estimated(self, sender: str) -> int:
        data = contract.minting(UUID(int=2**128 - 1), _SOMEBODY, 1)
        try:
            gas = await self._node.call("eth_estimateGas", {"from": sender, "to": self._contract, "data": data})
        except RpcError:
            raise self._refused("a mint cannot be tried: has the key anything to pay with?") from None
        return SPARE_GAS * number(gas)

    def _refused(self, why: str) -> ChainAway:
        if why != self._said:
            self._said = why
            _log.error("chain_refused", why=why, chain_id=self._chain_id, contract=self._contract)
        return ChainAway(why)


def _is(sender: str, minter: Any) -> bool:
    try:
        return contract.read_address(minter) == sender
    except ValueError:
        return False


def market_of(block: Any, tip: Any) -> Market:
    """What the next block asks for, by the last one. A node that knows no tips gets one of a gwei.

    Raises:
        ChainAway: that is no block, or one of a chain without base fees.
    """
    base = block.get("baseFeePerGas") if isinstance(block, dict) else None
    if base is None and isinstance(block, dict):
        raise ChainAway("the chain has no base fees, and is not worked with: EIP-1559 is needed")
    return Market(number(base), GWEI if isinstance(tip, RpcError) else number(tip))


def _outcome(answer: Any) -> Sent:
    if not isinstance(answer, RpcError) or _HAS_IT.search(answer.message):
        return Sent.TAKEN
    return Sent.OUTBID if _WANTS_MORE.search(answer.message) else Sent.NOT_TAKEN
