"""Metrics of the chain's adapter: what is under way, what is stuck, the node, and what the key has."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contexts.chain.application.ports import Backlog, Head
from app.contexts.chain.domain.mint import MintStatus
from app.contexts.chain.domain.transactions import Change

WEI: Final = 10**18
_log = structlog.get_logger(__name__)

_GAUGES: Final = (
    ("strongbox_chain_open_mints", "Mints that are neither confirmed nor failed."),
    ("strongbox_chain_open_mints_oldest_age_seconds", "Age of the oldest of them; 0 when there is none."),
    ("strongbox_chain_stuck_mints", "Those in no block, and for longer than CHAIN_STUCK_S."),
    ("strongbox_chain_other_content_mints", "Mints that FAILED: the chain has another amount or address."),
    ("strongbox_chain_node_height", "The node's newest block, as it was last seen."),
    ("strongbox_chain_node_head_age_seconds", "Age of that block by its own time, when it was last seen."),
    ("strongbox_chain_key_balance_ether", "What the key that mints has to pay fees with."),
    (
        "strongbox_chain_working",
        "1 while this adapter has a chain to work with; 0 while the node does not answer, its chain or contract is "
        "another, or the database is away.",
    ),
)


class ChainMetrics:
    """Counts what is done here, and shows how things are."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._changes = Counter(
            "strongbox_chain_changes",
            "How far mints came, as this adapter saw it: MINED, CONFIRMED, FAILED, or BROADCAST again of what the "
            "chain took back.",
            ("status",),
            registry=registry,
        )
        self._mended = Counter(
            "strongbox_chain_mended",
            "Transactions that did not get on by themselves: sent_again, replaced (with higher fees), foreign_nonce "
            "(somebody else had spent it), taken_over (from a key that is no longer ours), filled (a nonce that held "
            "up those behind it).",
            ("what",),
            registry=registry,
        )
        for status in (MintStatus.MINED, MintStatus.CONFIRMED, MintStatus.FAILED, MintStatus.BROADCAST):
            self._changes.labels(status.value)
        for what in ("sent_again", "replaced", "foreign_nonce", "taken_over", "filled"):
            self._mended.labels(what)
        self._open, self._oldest, self._stuck, self._failed, self._height, self._age, self._balance, self._working = (
            Gauge(name, what, registry=registry) for name, what in _GAUGES
        )

    def works(self, *, is_well: bool) -> None:
        """How the last look at the chain went."""
        self._working.set(is_well)

    def count(self, what: str) -> None:
        """See `Mended.count`."""
        self._mended.labels(what).inc()

    def not_found(self, requests: Sequence[UUID], below: int) -> None:
        """See `Told.not_found` of searching: the log tells it."""
        for each in requests:
            _log.error("mint_event_not_found", request_id=str(each), below_block=below)

    def changed(self, change: Change) -> None:
        """One mint came so far."""
        self._changes.labels(change.status.value).inc()

    def saw(self, head: Head) -> None:
        """The node's newest block."""
        self._height.set(head.block)
        self._age.set(head.age_s)

    def look_at(
        self, backlog: Callable[[], Awaitable[Backlog]], balance: Callable[[], Awaitable[int]]
    ) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
        """How to look at what is kept, and at what the key has."""

        async def kept() -> None:
            found = await backlog()
            self._open.set(found.open)
            self._oldest.set(found.oldest_s)
            self._stuck.set(found.stuck)
            self._failed.set(found.other_content)

        async def paid_from() -> None:
            self._balance.set(await balance() / WEI)

        return kept, paid_from
