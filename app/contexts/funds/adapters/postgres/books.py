"""The books of wallets, holds and operations: two round trips a batch, whatever its size.

The first begins the transaction and claims or locks, in the one order that all works keep (keys, operations, payments,
holds, wallets, each by its primary key). The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import chain

from app.contexts.funds.adapters.postgres import bulk_wallets, hold_rows, operation_rows, wallet_rows
from app.contexts.funds.adapters.postgres.references import fundings_of, lookup
from app.contexts.funds.adapters.postgres.v1_keys import RECEIVING, SENDING
from app.contexts.funds.adapters.postgres.wallet_rows import Opening
from app.contexts.funds.adapters.postgres.writes import statements
from app.contexts.funds.application.asked import BulkRequest, Known, ReceiveRequest, SendRequest
from app.contexts.funds.application.books import (
    Changes,
    ClaimedKeys,
    ClaimedOperations,
    Locked,
    NotLocked,
    OperationRecord,
)
from app.contexts.funds.application.closing import Capture, Closing
from app.contexts.funds.domain.hold import Hold
from app.contexts.funds.domain.ids import HoldId, TransferId
from app.contexts.funds.domain.ledger import Transaction
from app.contexts.funds.domain.operation import Credit, Operation, Resize, Transfer
from app.contexts.funds.domain.wallet import WalletId
from app.contexts.funds.part import PaymentQueries, PendingSums, sums_of
from app.kernel.operation_id import OperationId
from app.platform.idempotency.keys import KeyScope
from app.platform.idempotency.statements import IdempotencyKeys, records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Call, Row
from app.platform.postgres.pool import Pool
from app.platform.postgres.transactions import DatabaseTransaction, Transactions

Observer = Callable[[Sequence[Transaction]], None]
"""Told of the movements that a work has committed."""


def unobserved(_transactions: Sequence[Transaction]) -> None:
    """Nobody wants to know."""


class PostgresFundsBooks:
    """The books in PostgreSQL. It implements `FundsBooks` and `Prohibitions`."""

    def __init__(self, pool: Pool, payments: PaymentQueries, observe: Observer = unobserved) -> None:
        self._transactions = Transactions(pool)
        self._pending = PendingSums(payments)
        self._observe = observe

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresFundsWork"]:
        """See `FundsBooks.begin`."""
        try:
            async with self._transactions.open() as transaction:
                yield PostgresFundsWork(transaction, self._pending, self._observe)
        except NotLocked:
            raise Retry from None

    async def forbid(self, operations: Sequence[OperationId]) -> Mapping[OperationId, OperationRecord]:
        """See `Prohibitions.forbid`."""
        async with self._transactions.open() as transaction:
            (_, rows), _ = await transaction.begin(
                operation_rows.forbid(operations), operation_rows.records(operations)
            )
            await transaction.commit([])
        return operation_rows.records_of(rows)


class PostgresFundsWork:
    """One transaction. It implements `FundsWork`."""

    def __init__(self, transaction: DatabaseTransaction, pending: PendingSums, observe: Observer) -> None:
        self._transaction = transaction
        self._pending = pending
        self._observe = observe

    async def claim_sends(self, requests: Sequence[SendRequest]) -> ClaimedKeys:
        """See `FundsWork.claim_sends`."""
        into = [(r.recipient, r.money.currency, r.sender, r.money.amount_minor) for r in requests]
        out = [(r.sender, r.money.currency) for r in requests]
        (claims, *rows), now = await self._transaction.begin(
            SENDING.claim([
                (*r.scope, r.fingerprint, r.transfer_id, r.sender, r.money.currency) for r in requests
            ]),
            *self._lock(into, out),
        )  # fmt: skip
        locked, own = _locked(rows, now), won(claims)
        lost = [request for request in requests if request.scope not in own]
        records = await self._records(SENDING, [request.scope for request in lost])
        for request in lost:
            if request.scope not in records and (request.sender, request.money.currency) in locked.wallets:
                # Its old record was purged, or its wallet opened, between two of our statements.
                raise Retry
        return ClaimedKeys(own, records, locked)

    async def claim_receipts(self, requests: Sequence[ReceiveRequest]) -> ClaimedKeys:
        """See `FundsWork.claim_receipts`."""
        (claims, *rows, fundings), now = await self._transaction.begin(
            RECEIVING.claim([(*r.scope, r.fingerprint, r.transfer_id) for r in requests]),
            *self._lock([(r.recipient, r.money.currency, None, r.money.amount_minor) for r in requests], []),
            lookup([(r.recipient, r.money.currency, r.reference) for r in requests]),
        )
        own = won(claims)
        records = await self._lost(requests, own)
        return ClaimedKeys(own, records, _locked(rows, now), fundings_of(fundings, requests))

    async def claim_bulks(self, requests: Sequence[BulkRequest]) -> ClaimedKeys:
        """See `FundsWork.claim_bulks`."""
        openings, into, out = bulk_wallets.wallets_of(requests)
        (claims, *rows), now = await self._transaction.begin(
            RECEIVING.claim([(*r.scope, r.fingerprint, r.bulk_id) for r in requests]),
            *([wallet_rows.open_wallets(openings)] if openings else []),
            wallet_rows.lock_wallets([*out, *into]),
            *([self._pending.of(into)] if into else []),
        )
        own = won(claims)
        wallets, *pending = rows[1:] if openings else rows
        sums = sums_of(pending[0]) if into else {}
        locked = Locked(wallet_rows.wallets_of(wallets), sums, now)
        return ClaimedKeys(own, await self._lost(requests, own), locked)

    async def claim_operations(self, operations: Sequence[Operation]) -> ClaimedOperations:
        """See `FundsWork.claim_operations`."""
        refs = [m.hold for operation in operations for m in operation.members if isinstance(m, Resize)]
        into, out = _wallets_of(operations)
        first = [operation_rows.claim(operations), *([hold_rows.lock_holds(refs)] if refs else [])]
        rows, now = await self._transaction.begin(*first, *self._lock(into, out))
        own = operation_rows.claimed(rows[0])
        lost = [operation.id for operation in operations if operation.id not in own]
        records: Mapping[OperationId, OperationRecord] = {}
        if lost:
            (found,) = await self._transaction.read(operation_rows.records(lost))
            records = operation_rows.records_of(found)
        holds = hold_rows.holds_of(rows[1]) if refs else {}
        return ClaimedOperations(records, _locked(rows[len(first) :], now, holds))

    async def lock_holds(self, closings: Sequence[Closing]) -> Locked:
        """See `FundsWork.lock_holds`."""
        parts = [
            (part.beneficiary, closing.hold.currency, closing.hold.owner, closing.hold.id)
            for closing in closings
            if isinstance(closing, Capture)
            for part in closing.parts
        ]
        into = [(user_id, currency) for user_id, currency, *_ in parts]
        out = [(closing.hold.owner, closing.hold.currency) for closing in closings]
        (holds, *rows), now = await self._transaction.begin(
            hold_rows.lock_holds([closing.hold for closing in closings]),
            *([wallet_rows.open_wallets_for_parts(parts)] if parts else []),
            wallet_rows.lock_wallets([*out, *into]),
            *([self._pending.of(into)] if into else []),
        )
        return _locked(rows, now, hold_rows.holds_of(holds))

    async def commit(self, changes: Changes) -> None:
        """See `FundsWork.commit`."""
        await self._transaction.commit(statements(changes))
        self._observe(changes.transactions)

    def _lock(self, into: Sequence[Opening], out: Sequence[WalletId]) -> Iterable[Call]:
        """Open and lock wallets that money may go to, and lock those that it may leave; `_locked` reads the rows."""
        receiving = [(user_id, currency) for user_id, currency, *_ in into]
        if into:
            yield wallet_rows.open_wallets(into)
        yield wallet_rows.lock_wallets(chain(out, receiving))
        if into:
            yield self._pending.of(receiving)

    async def _lost(
        self, requests: Sequence[ReceiveRequest] | Sequence[BulkRequest], own: Collection[KeyScope]
    ) -> Mapping[KeyScope, Known]:
        """The records of the keys that others had before."""
        lost = [request.scope for request in requests if request.scope not in own]
        records = await self._records(RECEIVING, lost)
        if len(records) < len(lost):
            raise Retry  # an old record was purged between two of our statements
        return records

    async def _records(self, keys: IdempotencyKeys, scopes: Sequence[KeyScope]) -> Mapping[KeyScope, Known]:
        if not scopes:
            return {}
        (rows,) = await self._transaction.read(keys.records(scopes))
        return records_of(rows, lambda made: TransferId(made[0]))


def _wallets_of(operations: Sequence[Operation]) -> tuple[Sequence[Opening], Sequence[WalletId]]:
    """Those that money may go to, and those that it may leave."""
    into: list[Opening] = []
    out: list[WalletId] = []
    for operation in operations:
        # What another member may give the sender is nowhere yet that the wallets' opening could look at.
        may_get = any(isinstance(member, Credit | Resize) for member in operation.members)
        for member in operation.members:
            match member:
                case Transfer(_, sender, recipient, money):
                    into.append((recipient, money.currency, None if may_get else sender, money.amount_minor))
                    out.append((sender, money.currency))
                case Credit(_, recipient, money):
                    into.append((recipient, money.currency, None, money.amount_minor))
                case Resize(hold):
                    out.append((hold.owner, hold.currency))
                case placement:
                    out.append((placement.owner, placement.money.currency))
    return into, out


def _locked(rows: Sequence[Sequence[Row]], now: datetime, holds: Mapping[HoldId, Hold] | None = None) -> Locked:
    """What was locked: opened, locked and pending, or locked alone where no money goes to anybody."""
    _, wallets, pending = rows if len(rows) > 1 else ((), rows[0], ())
    return Locked(wallet_rows.wallets_of(wallets), sums_of(pending), now, holds or {})
