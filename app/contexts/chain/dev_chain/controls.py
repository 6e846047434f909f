"""What a test does to the chain, by the names that anvil has for it; and how blocks come about by themselves."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.contexts.chain.dev_chain import params as read
from app.contexts.chain.dev_chain.chain import Chain
from app.contexts.chain.dev_chain.methods import Method
from app.contexts.chain.dev_chain.transactions import Refused

_MOST_BLOCKS: Final = 1_000


class Miner:
    """Makes a block when something was sent, and one at each interval besides."""

    def __init__(self, chain: Chain, interval_s: float) -> None:
        self._chain = chain
        self._on_demand = True
        self._interval_s = interval_s
        self._changed = asyncio.Event()
        self._due: asyncio.Handle | None = None
        self.by_name: Mapping[str, Method] = {
            "evm_mine": self._mine,
            "anvil_mine": self._mine_many,
            "evm_setAutomine": self._automine,
            "evm_setIntervalMining": self._interval,
            "anvil_reorg": self._reorg,
            "anvil_dropTransaction": self._drop,
            "anvil_dropAllTransactions": lambda _: chain.pool.forget(),
            "anvil_setNextBlockBaseFeePerGas": self._base_fee,
            "anvil_setBalance": self._balance,
        }

    def sent(self) -> None:
        """See to it that what was sent just now is in a block soon: with what else comes in this moment."""
        if self._on_demand and self._due is None:
            self._due = asyncio.get_running_loop().call_soon(self._mine_waiting)

    async def run(self) -> None:
        """Make a block at each interval."""
        while True:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._interval_s or None)
            except TimeoutError:
                self._chain.mine()

    def _mine_waiting(self) -> None:
        self._due = None
        while self._on_demand and self._chain.has_more:
            self._chain.mine()

    def _mine(self, _: Sequence[Any]) -> str:
        self._chain.mine()
        return "0x0"

    def _mine_many(self, params: Sequence[Any]) -> None:
        for _ in range(_blocks(read.at(params, 0, 1))):
            self._chain.mine()

    def _automine(self, params: Sequence[Any]) -> None:
        self._on_demand = bool(read.at(params, 0))
        self.sent()

    def _interval(self, params: Sequence[Any]) -> None:
        self._interval_s = read.quantity(read.at(params, 0), "the interval")
        self._changed.set()

    def _reorg(self, params: Sequence[Any]) -> None:
        if read.at(params, 1, []):
            raise Refused("no transactions can be put into the new blocks")
        self._chain.reorganise(_blocks(read.at(params, 0)))

    def _drop(self, params: Sequence[Any]) -> str | None:
        name = read.hash_of(read.at(params, 0), "the hash")
        waiting = self._chain.pool.get(name)
        if waiting is None:
            return None
        self._chain.pool.drop(waiting)
        return name

    def _base_fee(self, params: Sequence[Any]) -> None:
        self._chain.ask_for(read.quantity(read.at(params, 0), "the base fee"))

    def _balance(self, params: Sequence[Any]) -> None:
        self._chain.mine({read.address(read.at(params, 0)): read.quantity(read.at(params, 1), "the balance")})


def _blocks(value: Any) -> int:
    number = read.quantity(value, "the number of blocks")
    if number > _MOST_BLOCKS:
        raise Refused(f"at most {_MOST_BLOCKS} blocks at a time")
    return number
