"""What runs of the chain: `strongbox chain`, the adapter."""

import asyncio
import ctypes
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from app.contexts.chain.adapters.evm.node import node_at
from app.contexts.chain.adapters.grpc.server import Served, serving
from app.contexts.chain.adapters.grpc.service import ChainService
from app.contexts.chain.adapters.metrics.mints import ChainMetrics
from app.contexts.chain.adapters.postgres.figures import PostgresFigures
from app.contexts.chain.application.follow import Round
from app.contexts.chain.application.ports import Contract
from app.contexts.chain.assembly import Adapter, EvmParts, minter_of
from app.contexts.chain.container import ChainContainer
from app.contexts.chain.domain.following import OTHER_CONTENT
from app.contexts.chain.settings import ChainSettings
from app.platform.context import Show, Work
from app.platform.process.rounds import Rounds
from app.platform.process.settings import Settings
from app.platform.process.waiting import pause

BUSY_S: Final = 0.25
"""Between two looks at the chain, while something is under way."""
IDLE_S: Final = 1.0

_ARENA_MAX: Final = -8
"""malloc.h's M_ARENA_MAX."""

_log = structlog.get_logger(__name__)


def work(container: ChainContainer, show: Show) -> Work:
    """Serve, and follow what is under way. All that is needed of the settings is looked at first."""
    _use_one_arena()
    settings: ChainSettings = container.settings()
    platform: Settings = container.platform.settings()
    metrics = ChainMetrics(container.registry())
    node, key, pool = node_at(settings.evm_rpc_url), minter_of(settings), container.pool()
    parts = EvmParts(node, settings)
    adapter = Adapter(settings, parts, key, pool, container.batches(), metrics)
    service = ChainService(adapter.mint, adapter.finding.submit, parts.balances.tokens)
    looks = metrics.look_at(
        PostgresFigures(pool, settings.chain_stuck_s).backlog, partial(parts.balances.coins, key.address)
    )
    waiting = container.batches().watch(adapter.lanes)
    tls = (Path(settings.chain_tls_cert), Path(settings.chain_tls_key)) if settings.chain_tls_cert else None
    host = f"[{platform.http_host}]" if ":" in platform.http_host else platform.http_host
    where = f"{host}:{settings.chain_grpc_port}"

    async def run(stop: asyncio.Event) -> None:
        async with (
            node.opened(),
            show((*looks, waiting)),
            serving(service, where, settings.chain_token, tls, platform.shutdown_grace_s) as served,
        ):
            _log.info("chain_served", where=where, key=key.address, chain_id=settings.chain_id)
            await _follow(settings, adapter, parts, key.address, served, metrics, stop)
        await adapter.drain()

    return run


def _use_one_arena() -> None:
    """Have gRPC's threads allocate where this one does: each would keep some MiB of its own, and they do little."""
    with suppress(OSError, AttributeError):  # elsewhere than on Linux, or with another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


async def _follow(
    settings: ChainSettings,
    adapter: Adapter,
    parts: EvmParts,
    own: str,
    served: Served,
    metrics: ChainMetrics,
    stop: asyncio.Event,
) -> None:
    rounds = Rounds("follow_chain")
    while not stop.is_set():
        is_well = is_busy = False
        with rounds.survived():
            if await adapter.contracts.kept() is None:
                await _adopt(settings, adapter, parts, own)
            seen = await adapter.follow(own)
            _tell(seen, metrics)
            await adapter.mend(seen)
            is_well, is_busy = True, bool(seen.open)
        metrics.works(is_well=is_well)
        await served.says(is_well=is_well)
        await pause(rounds.wait_s(BUSY_S if is_busy else IDLE_S), stop)


async def _adopt(settings: ChainSettings, adapter: Adapter, parts: EvmParts, own: str) -> None:
    """Keep the contract of the settings, if it is there and lets us mint: the first time, or when all is lost."""
    await parts.sending.terms(own)
    head = await parts.watching.head([own])
    await adapter.contracts.adopt(Contract(settings.chain_id, settings.chain_contract, 0, head.block))


def _tell(seen: Round, metrics: ChainMetrics) -> None:
    metrics.saw(seen.head)
    for change in seen.changes:
        metrics.changed(change)
        tell = _log.error if change.failure == OTHER_CONTENT else _log.info
        tell(
            "mint_changed",
            request_id=str(change.request_id),
            status=change.status.value,
            failure=change.failure,
            tx_hash=change.landing and change.landing.tx_hash,
            block=change.landing and change.landing.block,
        )
