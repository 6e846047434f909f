"""What `strongbox status` looks at of the chain: the node, the adapter, and the mints that are under way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from app.contexts.chain.adapters.evm.balances import EvmBalances
from app.contexts.chain.adapters.evm.node import node_at
from app.contexts.chain.adapters.evm.watching import EvmWatching
from app.contexts.chain.adapters.postgres.figures import backlog_of
from app.contexts.chain.application.ports import Backlog
from app.contexts.chain.settings import ChainSettings
from app.platform.eip55 import checksummed
from app.platform.operations.health import LOOK_S, Health, Part, State, unset
from app.platform.operations.parts import SEE_TO_POSTGRES
from app.platform.postgres.inspection import inspecting

_SEE_TO_THE_NODE: Final = "see to the node of EVM_RPC_URL; mints wait until it answers"
_SEE_TO_THE_ADAPTER: Final = "start `strongbox chain`, or see to CHAIN_GRPC_URL; mints wait until it answers"
_OLD_S: Final = 120.0
"""A newest block that is older is one of a node that has lost the others."""
_FEW_WEI: Final = 10**16
"""A hundredth of the coin: a few hundred mints, as fees are now and then."""


def parts_of_chain(database_url: str, settings: ChainSettings) -> Sequence[Part]:
    """The parts."""
    return (
        Part("chain node", partial(_node, settings), _SEE_TO_THE_NODE),
        Part("chain adapter", _adapter(settings), _SEE_TO_THE_ADAPTER),
        Part("mints on the chain", partial(_mints, database_url, settings.chain_stuck_s), SEE_TO_POSTGRES),
    )


async def _node(settings: ChainSettings) -> Health:
    for name, value in (("EVM_RPC_URL", settings.evm_rpc_url), ("CHAIN_CONTRACT", settings.chain_contract)):
        if not value:
            return unset(name)
    async with asyncio.timeout(LOOK_S), node_at(settings.evm_rpc_url).opened() as node:
        head = await EvmWatching(node, settings.chain_id, settings.chain_contract).head(())
        balances = EvmBalances(node, settings.chain_contract)
        # By the contract: who has minted before needs no money any more.
        minter = await balances.minter()
        wei, key = await balances.coins(minter), checksummed(minter)
    seen = f"block {head.block}, {head.age_s:.0f} s old"
    figures = {"block": head.block, "age_s": head.age_s, "minter": key, "wei": wei}
    if head.age_s > _OLD_S:
        return Health(State.DEGRADED, seen, "the node has no newer block: is it in step with the others?", figures)
    if wei < _FEW_WEI:
        return Health(State.DEGRADED, seen, f"{key}, which mints, has little to pay fees with", figures)
    return Health(State.OK, seen, None, figures)


def _adapter(settings: ChainSettings) -> Callable[[], Awaitable[Health]]:
    """The look. gRPC takes long to load: not when the looks' time runs already."""
    if settings.chain_grpc_url:
        from app.contexts.chain.adapters.grpc.health import is_well  # noqa: PLC0415 -- only where there is one

    async def look() -> Health:
        if not settings.chain_grpc_url:
            return unset("CHAIN_GRPC_URL")
        if await is_well(settings.endpoint, settings.chain_tls_ca, LOOK_S):
            return Health(State.OK, "answers")
        return Health(State.DEGRADED, "answers, and has no chain to work with", "see its log for `chain_refused`")

    return look


async def _mints(url: str, stuck_s: float) -> Health:
    async with inspecting(url, LOOK_S) as books:
        return _health_of(await backlog_of(books, stuck_s))


def _health_of(backlog: Backlog) -> Health:
    seen = f"{backlog.open} under way"
    if backlog.open:
        seen += f", the oldest for {backlog.oldest_s:.0f} s"
    figures = {"open": backlog.open, "oldest_s": backlog.oldest_s, "stuck": backlog.stuck}
    if backlog.other_content:
        hint = "the chain has other amounts or addresses than were asked for: see the runbook, and who has the key"
        return Health(State.DEGRADED, f"{seen}; {backlog.other_content} minted with other content", hint, figures)
    if backlog.stuck:
        hint = "they are in no block: see to the node, its fees, and what the key has"
        return Health(State.DEGRADED, f"{seen}; {backlog.stuck} stuck", hint, figures)
    return Health(State.OK, seen, None, figures)
