"""Auctions in PostgreSQL: two round trips a batch, whatever its size."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from app.contexts.auctions.adapters.postgres import auction_rows, bid_rows, event_documents, intent_rows
from app.contexts.auctions.application.books import Changes, Held, Wanted
from app.contexts.auctions.domain.ids import BidId
from app.kernel.principal import TenantId
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.requests import KEYS, id_of
from app.platform.idempotency.statements import records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Call
from app.platform.postgres.tenancy import TenantRows, TenantTransaction


class PostgresBooks:
    """The books in PostgreSQL. It implements `Books`."""

    def __init__(self, rows: TenantRows) -> None:
        self._rows = rows

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId) -> AsyncIterator["PostgresWork"]:
        """See `Books.begin`."""
        async with self._rows.open(tenant_id) as transaction:
            yield PostgresWork(transaction, tenant_id)


class PostgresWork:
    """One transaction. It implements `Work`."""

    def __init__(self, transaction: TenantTransaction, tenant_id: TenantId) -> None:
        self._transaction = transaction
        self._tenant_id = tenant_id

    async def lock(self, wanted: Wanted) -> Held:
        """See `Work.lock`."""
        claims = [(*request.scope, request.fingerprint, request.bid_id) for request in wanted.requests]
        (*claimed, auctions, intents, bidders), now = await self._transaction.begin(
            *([KEYS.claim(claims)] if claims else []),
            auction_rows.lock(self._tenant_id, wanted.auctions),
            intent_rows.read(self._tenant_id, wanted.intents),
            bid_rows.read_bidders(self._tenant_id, wanted.bidders),
        )
        there = {intent.id: intent for intent in map(intent_rows.intent_of, intents)}
        own = won(claimed[0]) if claimed else frozenset()
        lost = [request.scope for request in wanted.requests if request.scope not in own]
        gone = [scope for id_, scope in wanted.scopes.items() if id_ not in there]
        records = await self._records(list(dict.fromkeys([*lost, *gone])))
        if not records.keys() >= set(lost):
            raise Retry  # an old record was purged between two of our statements
        locked = {auction.id: auction for auction in map(auction_rows.auction_of, auctions)}
        return Held(locked, there, bid_rows.ordinals_of(bidders), records, now)

    async def commit(self, changes: Changes) -> None:
        """See `Work.commit`."""
        await self._transaction.commit(self._statements(changes))

    def _statements(self, changes: Changes) -> Iterator[Call]:
        tenant_id = self._tenant_id
        if changes.auctions:
            yield auction_rows.update(tenant_id, list(changes.auctions.values()))
        if changes.ordinals:
            yield bid_rows.insert_bidders(tenant_id, changes.ordinals)
        if changes.bids:
            yield bid_rows.insert(tenant_id, changes.bids)
        yield from self._of_intents(changes)
        if changes.events:
            yield from event_documents.insert(changes.events)
        if changes.answers:
            yield KEYS.store(changes.answers, changes.made)
        if changes.forgotten:
            yield KEYS.forget(changes.forgotten)

    def _of_intents(self, changes: Changes) -> Iterator[Call]:
        tenant_id = self._tenant_id
        if changes.new_intents:
            yield intent_rows.insert(changes.new_intents.values())
        if changes.changed_intents:
            yield intent_rows.update(tenant_id, changes.changed_intents.values())
        if changes.ended_intents:
            yield intent_rows.end(tenant_id, changes.ended_intents.values())
        if changes.returns:
            yield intent_rows.give_back(changes.returns)
        if changes.returned:
            yield intent_rows.returned(tenant_id, changes.returned)

    async def _records(self, scopes: Sequence[KeyScope]) -> Mapping[KeyScope, KeyRecord[BidId]]:
        if not scopes:
            return {}
        (rows,) = await self._transaction.read(KEYS.records(scopes))
        return records_of(rows, lambda shown: BidId(id_of(shown)))
