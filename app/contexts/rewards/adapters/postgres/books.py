"""The books of cashback in PostgreSQL: two round trips a batch, whatever its size, where nobody is new."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg

from app.contexts.rewards.adapters.postgres import entry_rows, purchase_rows, rule_rows, user_rows, waiting_rows
from app.contexts.rewards.adapters.postgres.event_documents import OUTBOX, outbox_row
from app.contexts.rewards.application.asked import BuyRequest, RefundRequest
from app.contexts.rewards.application.books import Changes, Claimed, Held, Parked, ParkedRefund, Wanted
from app.contexts.rewards.domain.sale import Reference, Source
from app.kernel.ids import EventId, UserId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.requests import KEYS, id_of, request_keys
from app.platform.idempotency.statements import records_of, won
from app.platform.postgres.buckets import bucket_of
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Call, Row
from app.platform.postgres.tenancy import TenantRows, TenantTransaction
from app.platform.postgres.transactions import CLOCK, Transactions

# What is about nobody or nothing that is known claims no key: that refusal leaves no trace.
_BUYERS: Final = request_keys(
    needs="""EXISTS (
        SELECT FROM rewards.users u
        WHERE u.bucket = r.bucket AND u.tenant_id = r.tenant_id AND u.user_id = r.buyer
    )""",
    given=(("bucket", "smallint"), ("tenant_id", "uuid"), ("buyer", "uuid")),
)
_PURCHASES: Final = request_keys(
    needs="EXISTS (SELECT FROM rewards.purchases p WHERE p.tenant_id = r.tenant_id AND p.id = r.purchase)",
    given=(("tenant_id", "uuid"), ("purchase", "uuid")),
)


class PostgresBooks:
    """The books in PostgreSQL. It implements `Books`."""

    def __init__(self, rows: TenantRows, transactions: Transactions) -> None:
        self._rows = rows
        self._transactions = transactions

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresWork"]:
        """See `Books.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresWork(transaction, tenant_id)

    async def locate(self, users: Collection[UserId]) -> Mapping[UserId, TenantId]:
        """See `Books.locate`."""
        async with self._transactions.open() as transaction:
            (rows,), _ = await transaction.begin(waiting_rows.locate(users))
        return dict(map(waiting_rows.tenant_of, rows))

    async def park(self, sales: Sequence[Parked], refunds: Sequence[ParkedRefund]) -> Mapping[UserId, TenantId]:
        """See `Books.park`."""
        users = list(dict.fromkeys([*(each.sale.user_id for each in sales), *(each.user_id for each in refunds)]))
        async with self._transactions.open() as transaction:
            (_, rows), _ = await transaction.begin(waiting_rows.expect(users), waiting_rows.locate_firmly(users))
            homes = dict(waiting_rows.tenant_of(row) for row in rows if row[1] is not None)
            sales = [each for each in sales if each.sale.user_id not in homes]
            refunds = [each for each in refunds if each.user_id not in homes]
            if sales or refunds:
                (new,) = await transaction.read(
                    waiting_rows.enter([*(s.event_id for s in sales), *(r.event_id for r in refunds)])
                )
                fresh = {event_id for (event_id,) in new}
                await transaction.commit(
                    waiting_rows.let_wait(
                        [each for each in sales if each.event_id in fresh],
                        [each for each in refunds if each.event_id in fresh],
                    )
                )
        return homes


class PostgresWork:
    """One transaction. It implements `Work`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id
        self._has_begun = False

    async def claim_purchases(self, requests: Sequence[BuyRequest]) -> Claimed:
        """See `Work.claim_purchases`."""
        claims = [
            (*r.scope, r.fingerprint, r.purchase_id, bucket_of(r.user_id), r.tenant_id, r.user_id) for r in requests
        ]
        users = list(dict.fromkeys(request.user_id for request in requests))
        references = list(dict.fromkeys(Reference(request.merchant, request.reference) for request in requests))
        currencies = list(dict.fromkeys(request.money.currency for request in requests))
        (claimed, locked, rules, used, entries, purchases), now = await self._transaction.begin(
            _BUYERS.claim(claims),
            user_rows.lock(self._tenant_id, users),
            rule_rows.in_force(self._tenant_id, currencies),
            rule_rows.used(self._tenant_id, users, currencies),
            entry_rows.read_open(self._tenant_id, users, ()),
            purchase_rows.by_reference(self._tenant_id, references),
        )
        held = _held(locked, entries, purchases, now, rules, used)
        known = {request.scope: request.user_id in held.standings for request in requests}
        return Claimed(await self._records(known, won(claimed)), held)

    async def claim_refunds(self, requests: Sequence[RefundRequest]) -> Claimed:
        """See `Work.claim_refunds`."""
        claims = [(*r.scope, r.fingerprint, r.refund_id, r.tenant_id, r.purchase_id) for r in requests]
        wanted = list(dict.fromkeys(request.purchase_id for request in requests))
        (claimed, found), _ = await self._transaction.begin(
            _PURCHASES.claim(claims), purchase_rows.by_id(self._tenant_id, wanted)
        )
        self._has_begun = True
        purchases = {each.id: each for each in map(purchase_rows.purchase_of, found)}
        users = list(dict.fromkeys(each.sale.user_id for each in purchases.values()))
        (locked, entries, opened, refunds), now = await self._begun(
            user_rows.lock(self._tenant_id, users), *purchase_rows.earned_by(self._tenant_id, list(purchases.values()))
        )
        held = _held(locked, [*entries, *opened], found, now)
        known = {request.scope: request.purchase_id in purchases for request in requests}
        return Claimed(await self._records(known, won(claimed)), held, purchase_rows.by_purchase(purchases, refunds))

    async def hear(self, events: Collection[EventId], users: Collection[UserId]) -> tuple[set[EventId], list[Parked]]:
        """See `Work.hear`."""
        (entered, opened), _ = await self._transaction.begin(
            waiting_rows.enter(events), user_rows.open_(self._tenant_id, users)
        )
        self._has_begun = True
        known = set(events) - {EventId(event_id) for (event_id,) in entered}
        if not opened:
            return known, []
        new = [UserId(user_id) for (user_id,) in opened]
        _, parked = await self._transaction.read(waiting_rows.settle(self._tenant_id, new), waiting_rows.take(new))
        return known, [waiting_rows.parked_of(row) for row in parked]

    async def hold(self, wanted: Wanted) -> Held:
        """See `Work.hold`."""
        users, tenant = list(wanted.users), self._tenant_id
        currencies = list(dict.fromkeys(sale.money.currency for sale in wanted.sales))
        waiting = [(s.user_id, UUID(s.reference)) for s in wanted.sales if s.source is Source.PAYMENT]
        (locked, opened, entries, rules, used, purchases, parked, paid), now = await self._begun(
            user_rows.lock(tenant, users),
            entry_rows.read_open(tenant, users, wanted.all_of),
            entry_rows.read(tenant, users, wanted.entries),
            rule_rows.in_force(tenant, currencies),
            rule_rows.used(tenant, users, currencies),
            purchase_rows.by_reference(tenant, list(dict.fromkeys(sale.key for sale in wanted.sales))),
            waiting_rows.take_refunds(waiting),
            purchase_rows.of_payments(tenant, wanted.payments),
        )
        entries, refunds = [*opened, *entries], list[Row]()
        of_them = [purchase_rows.purchase_of(row) for row in paid]
        if of_them:
            earned, covering, refunds = await self._transaction.read(*purchase_rows.earned_by(tenant, of_them))
            entries += [*earned, *covering]
        held = _held(locked, entries, [*purchases, *paid], now, rules, used)
        before = purchase_rows.by_purchase([each.id for each in of_them], refunds)
        return replace(held, refunds=before, parked_refunds=[waiting_rows.parked_refund_of(row) for row in parked])

    async def commit(self, changes: Changes) -> None:
        """See `Work.commit`."""
        try:
            await self._transaction.commit(self._statements(changes))
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name != "purchases_pkey":
                raise
            raise Retry from error  # another was faster with the same reference, and is committed

    def _statements(self, changes: Changes) -> Iterator[Call]:
        tenant = self._tenant_id
        changed = [(account, entry) for account in changes.accounts for entry in account.changed.values()]
        new = [entry for account, entry in changed if entry.id in account.made]
        others = [entry for account, entry in changed if entry.id not in account.made]
        lines = [(account.standing.user_id, line) for account in changes.accounts for line in account.lines]
        events = [event for account in changes.accounts for event in account.events]
        if changes.purchases:
            yield purchase_rows.insert(changes.purchases)
        if changes.refunds:
            yield purchase_rows.insert_refunds(tenant, changes.refunds)
        yield from waiting_rows.let_wait((), changes.parked_refunds)
        if changes.accounts:
            yield user_rows.update(tenant, changes.accounts)
        if new:
            yield entry_rows.insert(new)
        if others:
            yield entry_rows.update(tenant, others)
        if lines:
            yield entry_rows.append(tenant, lines)
        if events:
            yield OUTBOX.insert([outbox_row(event) for event in events])
        if changes.answers:
            yield KEYS.store(changes.answers, changes.made)

    async def _begun(self, *calls: Call) -> tuple[list[list[Row]], datetime]:
        """Run them behind what was done before, if something was; and the clock behind them."""
        if not self._has_begun:
            return await self._transaction.begin(*calls)
        *rows, clock = await self._transaction.read(*calls, (CLOCK, ()))
        return rows, clock[0][0]

    async def _records(
        self, requests: Mapping[KeyScope, bool], own: frozenset[KeyScope]
    ) -> Mapping[KeyScope, KeyRecord[UUID]]:
        """What is known under the keys that are not the requests' own; of each, whether what it is about is known."""
        lost = [scope for scope in requests if scope not in own]
        if not lost:
            return {}
        (rows,) = await self._transaction.read(KEYS.records(lost))
        records = records_of(rows, id_of)
        if any(requests[scope] and scope not in records for scope in lost):
            raise Retry  # an old record was purged, or a user came to be known, between two of our statements
        return records


def _held(
    locked: Sequence[Row], entries: Sequence[Row], purchases: Sequence[Row], now: datetime,
    rules: Sequence[Row] = (), used: Sequence[Row] = (),
) -> Held:  # fmt: skip
    standings = [user_rows.standing_of(row) for row in locked]
    known = {entry.id: entry for entry in map(entry_rows.entry_of, entries)}
    found = [purchase_rows.purchase_of(row) for row in purchases]
    return Held(
        standings={standing.user_id: standing for standing in standings},
        entries=list(known.values()),
        rules=[rule_rows.rule_of(row) for row in rules],
        used=dict(rule_rows.used_of(row) for row in used),
        purchases={purchase.sale.key: purchase for purchase in found},
        now=now,
    )
