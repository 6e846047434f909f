"""The books as money is moved, set aside and handed over in them: a batch is one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.contexts.funds.application.asked import BulkRequest, Known, ReceiveRequest, SendRequest
from app.contexts.funds.application.closing import Closing
from app.contexts.funds.domain.bulk import Bulk
from app.contexts.funds.domain.events import Event
from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import HoldId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.operation import Operation
from app.contexts.funds.domain.transfer import CompletedTransfer
from app.contexts.funds.domain.wallet import Wallet, WalletId
from app.contexts.funds.public import Forbidden, Outcome
from app.kernel.ids import UserId
from app.kernel.money import Currency
from app.kernel.operation_id import OperationId
from app.platform.idempotency.keys import Answer, KeyScope


class NotLocked(Exception):  # noqa: N818 -- it says what is missing
    """A wallet that money should go to was not opened, as its sender seemed to have none: run the batch again."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Wallets and holds as they stand, locked until the work ends. `now` is the database's clock."""

    wallets: Mapping[WalletId, Wallet]
    pending: Mapping[WalletId, int]
    """What may come back to those that money goes to, from their pending payments. In minor units; 0 is left out."""
    now: datetime
    holds: Mapping[HoldId, Hold] = field(default_factory=dict)


Reference = tuple[UserId, Currency, str]
"""What a funding is unique within, and its own."""


@dataclass(frozen=True, slots=True)
class ClaimedKeys:
    """The state that requests meet. A key that is neither won nor recorded lacks its sender's wallet."""

    won: frozenset[KeyScope]
    records: Mapping[KeyScope, Known]
    locked: Locked
    fundings: Mapping[Reference, CompletedTransfer] = field(default_factory=dict)
    """What was paid in before under the requests' references."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """What is known of an operation that was asked for, or forbidden, before. A forbidden one has no fingerprint."""

    fingerprint: bytes | None
    outcome: Outcome | Forbidden


@dataclass(frozen=True, slots=True)
class ClaimedOperations:
    """The state that operations meet: those without a record are the batch's own."""

    records: Mapping[OperationId, OperationRecord]
    locked: Locked


@dataclass(slots=True)
class Changes:
    """All that a work writes, committed as one. A wallet's transactions come in their order."""

    transactions: list[Transaction] = field(default_factory=list)
    wallets: dict[WalletId, Wallet] = field(default_factory=dict)
    """Those that changed, as they are behind it all."""
    placed_holds: dict[HoldId, Hold] = field(default_factory=dict)
    changed_holds: dict[HoldId, Hold] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outcomes: dict[OperationId, Outcome] = field(default_factory=dict)
    bulks: list[Bulk] = field(default_factory=list)
    """Those of which something was done: each is an operation of its own."""
    answers: dict[KeyScope, Answer] = field(default_factory=dict)
    made: set[KeyScope] = field(default_factory=set)
    """The keys of those requests that moved money."""


class FundsWork(Protocol):
    """One transaction over the books. What it locks it locks in one order everywhere: keys, operations, holds, wallets.

    Wallets that money goes to are opened where there are none, unless it is clear that none will come.
    """

    async def claim_sends(self, requests: Sequence[SendRequest]) -> ClaimedKeys:
        """Claim the requests' keys (one request a key), and lock the wallets."""
        ...

    async def claim_receipts(self, requests: Sequence[ReceiveRequest]) -> ClaimedKeys:
        """Claim the requests' keys (one request a key), and lock the wallets."""
        ...

    async def claim_bulks(self, requests: Sequence[BulkRequest]) -> ClaimedKeys:
        """Claim the requests' keys (one request a key), and lock the wallets."""
        ...

    async def claim_operations(self, operations: Sequence[Operation]) -> ClaimedOperations:
        """Claim the operations, each there once, and lock holds and wallets."""
        ...

    async def lock_holds(self, closings: Sequence[Closing]) -> Locked:
        """Lock the holds, the wallets of their owners, and those of all beneficiaries."""
        ...

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        ...


class FundsBooks(Protocol):
    """The books of wallets, holds and operations."""

    def begin(self) -> AbstractAsyncContextManager[FundsWork]:
        """Begin a work. Leaving it without a commit undoes it; by `NotLocked`, so that it is run again."""
        ...


class Prohibitions(Protocol):
    """The operations, as those who forbid them have them."""

    async def forbid(self, operations: Sequence[OperationId]) -> Mapping[OperationId, OperationRecord]:
        """Forbid those that have not happened, waiting for those under way; what stands of each, committed."""
        ...
