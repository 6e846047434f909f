"""What the chain looks like to operators: what is kept, beside what the node says now."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.contexts.chain.adapters.evm.balances import EvmBalances
from app.contexts.chain.adapters.evm.node import node_at
from app.contexts.chain.adapters.evm.watching import EvmWatching
from app.contexts.chain.adapters.postgres import stories
from app.contexts.chain.adapters.postgres.stories import Earlier, Kept, MintStory
from app.contexts.chain.application.ports import Head
from app.contexts.chain.domain.mint import MintStatus
from app.contexts.chain.domain.next_step import waits_for
from app.contexts.chain.domain.refusals import ChainAway
from app.contexts.chain.settings import ChainSettings
from app.kernel.errors import Unavailable
from app.platform.operations.health import LOOK_S
from app.platform.postgres.inspection import inspecting

WITHIN_S: Final = 10.0
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """The newest block, and what each key has, in wei; or why the node cannot be asked."""

    head: Head | None
    coins: Mapping[str, int]
    away: str | None = None


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """All of it."""

    contract: Kept | None
    keys: Sequence[tuple[str, int]]
    node: NodeSeen
    under_way: Sequence[MintStory]
    failed: Sequence[MintStory]


@dataclass(frozen=True, slots=True)
class MintSeen:
    """A request with all transactions that were signed for it, and what it waits for."""

    mint: MintStory
    earlier: Sequence[Earlier]
    waits_for: str | None
    note: str | None


async def the_chain(url: str, settings: ChainSettings) -> ChainSeen:
    """The contract, the keys, the node, and what is under way or failed.

    Raises:
        Unavailable: the database is out of reach.
    """
    async with inspecting(url, WITHIN_S) as session:
        contract, keys = await stories.contract_of(session), await stories.nonces_of(session)
        under_way, failed = await stories.under_way(session, MOST), await stories.failed(session, MOST)
    return ChainSeen(contract, keys, await _node(settings, [key for key, _ in keys]), under_way, failed)


async def one_mint(url: str, settings: ChainSettings, request_id: UUID) -> MintSeen | None:
    """What was signed for the request; None where nothing was.

    Raises:
        Unavailable: the database is out of reach.
    """
    async with inspecting(url, WITHIN_S) as session:
        mint = await stories.mint_of(session, request_id)
        if mint is None:
            return None
        earlier = await stories.earlier_of(session, request_id)
    status = MintStatus(mint.status)
    node = await _node(settings, ()) if status is MintStatus.MINED else NodeSeen(None, {})
    head = node.head.block if node.head else None
    waits = waits_for(status, mint.failure, mint.ahead, mint.block_number, head, settings.chain_confirmations)
    return MintSeen(mint, earlier, waits, node.away)


async def request_of(url: str, tx_hash: str) -> UUID | None:
    """The request that the transaction is of. Raises Unavailable."""
    async with inspecting(url, WITHIN_S) as session:
        return await stories.request_of(session, tx_hash)


async def _node(settings: ChainSettings, keys: Sequence[str]) -> NodeSeen:
    if not settings.evm_rpc_url:
        return NodeSeen(None, {}, "EVM_RPC_URL is not set here")
    try:
        async with asyncio.timeout(LOOK_S), node_at(settings.evm_rpc_url).opened() as node:
            head = await EvmWatching(node, settings.chain_id, settings.chain_contract).head(keys)
            balances = EvmBalances(node, settings.chain_contract)
            return NodeSeen(head, {key: await balances.coins(key) for key in keys})
    except TimeoutError:
        return NodeSeen(None, {}, f"it did not answer within {LOOK_S:g} s")
    except (ChainAway, Unavailable) as error:
        return NodeSeen(None, {}, str(error))
