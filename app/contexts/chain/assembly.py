"""What the adapter is made of: the key, the node, what is kept, and the use cases between them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

from app.contexts.chain.adapters.evm.balances import EvmBalances
from app.contexts.chain.adapters.evm.deploying import EvmDeploying
from app.contexts.chain.adapters.evm.key_file import key_in
from app.contexts.chain.adapters.evm.minter import Minter
from app.contexts.chain.adapters.evm.node import Node
from app.contexts.chain.adapters.evm.sending import EvmSending
from app.contexts.chain.adapters.evm.transactions import made_by
from app.contexts.chain.adapters.evm.watching import EvmWatching
from app.contexts.chain.adapters.postgres.contracts import PostgresContracts
from app.contexts.chain.adapters.postgres.filling import PostgresFilling
from app.contexts.chain.adapters.postgres.following import PostgresFollowing
from app.contexts.chain.adapters.postgres.signing import PostgresSigning
from app.contexts.chain.application.broadcast import Broadcast
from app.contexts.chain.application.deploy import Deploy
from app.contexts.chain.application.fill import Fill
from app.contexts.chain.application.find_mints import FindMints
from app.contexts.chain.application.follow import Follow
from app.contexts.chain.application.mend import Mend, Mended
from app.contexts.chain.application.mint_token import MintToken
from app.contexts.chain.application.ports import Sent
from app.contexts.chain.application.rebuild import Rebuild
from app.contexts.chain.application.search import Search
from app.contexts.chain.application.search import Told as SearchTold
from app.contexts.chain.application.sign_mints import Answer, SignMints
from app.contexts.chain.domain.mint import Mint, MintOrder
from app.contexts.chain.domain.transactions import Signed
from app.contexts.chain.settings import ChainSettings
from app.kernel.errors import Unavailable
from app.platform.metrics.batches import BatchMetrics, Queued
from app.platform.postgres.batching import BATCH, QUEUE
from app.platform.postgres.errors import Fault, fault
from app.platform.postgres.lanes import Lane
from app.platform.postgres.pool import Pool

C = TypeVar("C")
R = TypeVar("R")


class EvmParts:
    """The node, as everybody sees it who asks it, by the settings."""

    def __init__(self, node: Node, settings: ChainSettings) -> None:
        chain_id, contract = settings.chain_id, settings.chain_contract
        self.sending = EvmSending(node, chain_id, contract)
        self.watching = EvmWatching(node, chain_id, contract)
        self.deploying = EvmDeploying(node, self.watching, self.sending)
        self.balances = EvmBalances(node, contract)


def minter_of(settings: ChainSettings) -> Minter:
    """The key of CHAIN_KEY_FILE.

    Raises:
        InvalidSettings: there is none, or others may read it.
    """
    return Minter(key_in(Path(settings.chain_key_file)), settings.chain_id, settings.chain_contract)


class Told(Mended, SearchTold, Protocol):
    """What is told of the adapter's work."""


class Adapter:
    """The adapter's use cases. The nonces of a key have one order: what signs and what sends has one lane each."""

    def __init__(
        self, settings: ChainSettings, parts: EvmParts, key: Minter, pool: Pool, batches: BatchMetrics, told: Told
    ) -> None:
        ours = settings.chain_id, settings.chain_contract
        books = PostgresSigning(pool, *ours)
        self.contracts = PostgresContracts(pool)
        following = PostgresFollowing(pool, *ours)

        def lane(use_case: Callable[[Sequence[C]], Awaitable[Sequence[R]]], step: str) -> Lane[C, R]:
            return Lane(use_case, size=BATCH, queue_limit=QUEUE, on_lost=pool.check, observe=batches.of(step))

        broadcast = Broadcast(books, parts.sending)
        self.signing: Lane[MintOrder, Answer] = lane(SignMints(books, parts.sending, key), "sign_mints")
        self.sending: Lane[Signed, Sent] = lane(broadcast, "send_mints")
        self.finding: Lane[UUID, Mint | None] = lane(FindMints(books), "find_mints")
        self.mint = MintToken(self.signing.submit, self.sending.submit, _may_have_happened)
        search = Search(parts.watching, told)
        self.follow = Follow(following, parts.watching, search, settings.chain_confirmations)
        fill = Fill(PostgresFilling(pool, *ours), parts.sending, key, broadcast, settings.chain_stuck_s, told.count)
        self.mend = Mend(following, parts.sending, key, broadcast, fill, settings.chain_stuck_s, told)

    async def drain(self) -> None:
        """Wait until all that was submitted has its result."""
        await self.signing.drain()
        await self.sending.drain()
        await self.finding.drain()

    @property
    def lanes(self) -> Mapping[str, Queued]:
        """By what they do."""
        return {"sign_mints": self.signing, "send_mints": self.sending, "find_mints": self.finding}


def deploy_of(settings: ChainSettings, parts: EvmParts, key: Minter, pool: Pool) -> Deploy:
    """The use case `Deploy`."""
    return Deploy(PostgresContracts(pool), parts.deploying, key, made_by, settings.chain_id)


def rebuild_of(settings: ChainSettings, parts: EvmParts, key: Minter, pool: Pool) -> Rebuild:
    """The use case `Rebuild`."""
    return Rebuild(
        PostgresContracts(pool), parts.deploying, key.address, settings.chain_id, settings.chain_contract,
        settings.chain_confirmations,
    )  # fmt: skip


def _may_have_happened(error: Unavailable) -> bool:
    """A connection that was lost may have been so behind the COMMIT."""
    return error.__cause__ is not None and fault(error.__cause__) is Fault.LOST
