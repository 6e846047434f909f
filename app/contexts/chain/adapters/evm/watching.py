"""A node, as what follows the chain sees it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.node import Garbled, Node, RpcError, number
from app.contexts.chain.adapters.evm.sending import market_of
from app.contexts.chain.application.ports import Head
from app.contexts.chain.domain.mint import MintOrder
from app.contexts.chain.domain.refusals import ChainAway
from app.contexts.chain.domain.transactions import Landing, Minted, Receipt

MOST_BLOCKS: Final = 2_000
"""Asked for at once: nodes refuse more than so many, each another number."""
FINE: Final = 16
"""Answers after which more is asked for at once again."""
RECEIPTS: Final = 100
LOGS_TIMEOUT_S: Final = 20.0


class _Span:
    """How many blocks are asked for at once: half as many each time that it was too much, and twice as many, up to
    what is asked for first, once it was fine for a while."""

    def __init__(self) -> None:
        self.blocks = MOST_BLOCKS
        self._fine = 0

    def was_too_much(self, blocks: int) -> None:
        self.blocks, self._fine = max(1, blocks // 2), 0

    def was_fine(self) -> None:
        self._fine += 1
        if self._fine == FINE:
            self.blocks, self._fine = min(2 * self.blocks, MOST_BLOCKS), 0


class EvmWatching:
    """It implements `Watching`, for our contract."""

    def __init__(self, node: Node, chain_id: int, contract_address: str) -> None:
        self._node = node
        self._chain_id = chain_id
        self._contract = contract_address
        self._span = _Span()

    async def head(self, senders: Sequence[str]) -> Head:
        """See `Watching.head`."""
        counts = [("eth_getTransactionCount", (sender, "latest")) for sender in senders]
        chain, block, tip, *spent = await self._node.ask(
            ("eth_chainId", ()), ("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ()), *counts
        )
        if number(chain) != self._chain_id:
            raise ChainAway(f"the node's chain is {number(chain)}, CHAIN_ID says {self._chain_id}")
        market = market_of(block, tip)
        age_s = max(0.0, time.time() - number(block.get("timestamp")))
        nonces = dict(zip(senders, map(number, spent), strict=True))
        return Head(number(block.get("number")), _text(block.get("hash")), age_s, market, nonces)

    async def minted(self, first: int, last: int, head: Head) -> Sequence[Minted] | None:
        """See `Watching.minted`."""
        events = await self.events(first, last)
        block = await self._node.call("eth_getBlockByNumber", hex(head.block), False)  # noqa: FBT003 -- JSON-RPC's
        is_there = isinstance(block, dict) and block.get("hash") == head.block_hash
        return events if is_there else None

    async def receipts(self, hashes: Sequence[str]) -> Mapping[str, Receipt]:
        """See `Watching.receipts`."""
        found = {}
        for start in range(0, len(hashes), RECEIPTS):
            asked = hashes[start : start + RECEIPTS]
            answers = await self._node.ask(*(("eth_getTransactionReceipt", (each,)) for each in asked))
            for tx_hash, answer in zip(asked, answers, strict=True):
                if isinstance(answer, dict) and answer.get("blockNumber") is not None:
                    landing = Landing(tx_hash, number(answer["blockNumber"]))
                    found[tx_hash] = Receipt(landing, number(answer.get("status")) == 1)
        return found

    async def known(self, requests: Sequence[UUID], block: int) -> Sequence[bool]:
        """See `Watching.known`."""
        asked = [{"to": self._contract, "data": contract.known(each)} for each in requests]
        answers = await self._node.ask(*(("eth_call", (each, hex(block))) for each in asked))
        try:
            return [contract.read_number(answer) == 1 for answer in answers]
        except ValueError:
            raise ChainAway("the contract does not tell whether it knows a request") from None

    async def minted_for(self, requests: Sequence[UUID], first: int, last: int) -> Sequence[Minted]:
        """See `Watching.minted_for`."""
        return await self._logs(first, last, [contract.MINTED, [*map(contract.request_topic, requests)]])

    async def events(self, first: int, last: int) -> Sequence[Minted]:
        """All events in these blocks."""
        return await self._logs(first, last, [contract.MINTED])

    async def _logs(self, first: int, last: int, topics: list[Any]) -> list[Minted]:
        """The events in the blocks, asked for in pieces: a piece that is too much for the node is halved, and so are
        those behind it."""
        found: list[Minted] = []
        start = first
        while start <= last:
            end = min(start + self._span.blocks - 1, last)
            asked = {"address": self._contract, "topics": topics, "fromBlock": hex(start), "toBlock": hex(end)}
            try:
                logs = await self._node.call("eth_getLogs", asked, timeout_s=LOGS_TIMEOUT_S)
            except (RpcError, ChainAway) as error:
                # Whoever does not answer in time may do so for less: but when it is asked again.
                self._span.was_too_much(end - start + 1)
                if start == end or not isinstance(error, RpcError | Garbled):
                    raise ChainAway("the node does not tell of events") from error
                continue
            self._span.was_fine()
            found += _events(logs)
            start = end + 1
        return found


def _events(logs: Any) -> list[Minted]:
    """The events of requests; those that are none's of ours are passed over.

    Raises:
        ChainAway: these are no logs.
    """
    found = []
    try:
        for log in logs:
            event = contract.read_minted(log)
            if event.request_id is not None and not log.get("removed"):
                order = MintOrder(event.request_id, event.to, event.amount)
                found.append(Minted(order, Landing(_text(log["transactionHash"]), number(log["blockNumber"]))))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ChainAway("the node's events cannot be read") from None
    return found


def _text(answer: object) -> str:
    if not isinstance(answer, str):
        raise ChainAway("the node answers with what is no hash")
    return answer.lower()
