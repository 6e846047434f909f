"""The books of payments: two round trips a batch, whatever its size.

The first begins the transaction and claims or locks, in the one order that all works keep (keys, payments, wallets,
each by user first). The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any

from app.contexts.funds import part
from app.contexts.funds.public import Wallet, WalletId
from app.contexts.payments.adapters.postgres import writes as writing
from app.contexts.payments.adapters.postgres.idempotency import KEYS, V1_KEYS
from app.contexts.payments.adapters.postgres.rows import lock_payments, payment_of
from app.contexts.payments.application.books import Changes, Claimed, Held
from app.contexts.payments.application.request import KeyOfV1, PaymentRequest, Scope
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.payment import Payment
from app.kernel.ids import UserId
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.statements import answers_of, records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.transactions import DatabaseTransaction, Transactions

_ACTIVE_PROVIDERS = Statement("SELECT id FROM service_providers WHERE id = ANY(%b::uuid[]) AND is_active")


class PostgresBooks:
    """The books in PostgreSQL. It implements `PaymentBooks`."""

    def __init__(self, pool: Pool) -> None:
        self._transactions = Transactions(pool)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresWork"]:
        """See `PaymentBooks.begin`."""
        async with self._transactions.open() as transaction:
            yield PostgresWork(transaction)


class PostgresWork:
    """One transaction. It implements `PaymentWork`."""

    def __init__(self, transaction: DatabaseTransaction) -> None:
        self._transaction = transaction

    async def claim(self, requests: Sequence[PaymentRequest]) -> Claimed:
        """Claim the requests' keys (one request a key), and lock their wallets."""
        plain, of_v1 = _by_kind(requests)
        (*claims, wallets), now = await self._transaction.begin(
            *([KEYS.claim([(*scope, *_claimed(r)) for scope, r in plain])] if plain else []),
            *([V1_KEYS.claim([(*scope, *_claimed(r, r.user_id)) for scope, r in of_v1])] if of_v1 else []),
            part.lock_wallets([(r.user_id, r.money.currency) for r in requests]),
        )
        own: set[Scope] = set()
        if plain:
            own |= won(claims[0])
        if of_v1:
            own |= {KeyOfV1(*scope) for scope in won(claims[-1])}
        locked = part.wallets_of(wallets)
        lost = [request for request in requests if request.scope not in own]
        records = await self._records(lost, locked) if lost else {}
        return Claimed(frozenset(own), records, locked, now)

    async def _records(
        self, requests: Sequence[PaymentRequest], wallets: Mapping[WalletId, Wallet]
    ) -> Mapping[Scope, KeyRecord[Payment]]:
        plain, of_v1 = _by_kind(requests)
        *found, active = await self._transaction.read(
            *([KEYS.records([scope for scope, _ in plain])] if plain else []),
            *([V1_KEYS.records([scope for scope, _ in of_v1])] if of_v1 else []),
            (_ACTIVE_PROVIDERS, ([r.provider_id for r in requests],)),
        )
        records: dict[Scope, KeyRecord[Payment]] = {}
        if plain:
            records |= dict(records_of(found[0], payment_of).items())
        if of_v1:
            records |= {KeyOfV1(*scope): record for scope, record in records_of(found[-1], payment_of).items()}
        providers = {row[0] for row in active}
        for request in requests:
            has_all = (request.user_id, request.money.currency) in wallets and request.provider_id in providers
            if has_all and request.scope not in records:
                # Its old record was purged, or its wallet opened, between two of our statements.
                raise Retry
        return records

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        plain = [(p.user_id, p.idempotency_key) for p in payments if p.asked_by is None]
        of_v1 = [(UserId(p.asked_by), p.idempotency_key) for p in payments if p.asked_by is not None]
        keys = [*([KEYS.lock(plain)] if plain else []), *([V1_KEYS.lock(of_v1)] if of_v1 else [])]
        found, now = await self._transaction.begin(
            *keys,
            lock_payments([(payment.user_id, payment.id) for payment in payments]),
            *([part.lock_wallets([(p.user_id, p.money.currency) for p in refundable])] if refundable else []),
        )
        locked, rows, *wallets = found[: len(keys)], *found[len(keys) :]
        answers = {PaymentId(made): answer for made, answer in answers_of([*chain(*locked)]).items()}
        held = {payment.id: payment for payment in map(payment_of, rows)}
        return Held(held, answers, part.wallets_of(chain(*wallets)), now)

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        await self._transaction.commit(writing.statements(changes))


def _by_kind(
    requests: Sequence[PaymentRequest],
) -> tuple[Sequence[tuple[KeyScope, PaymentRequest]], Sequence[tuple[KeyScope, PaymentRequest]]]:
    """The requests with what their keys are found by, those whose keys are their users' apart from those of `/v1`."""
    return (
        [((r.user_id, r.key), r) for r in requests if r.asked_by is None],
        [((UserId(r.asked_by), r.key), r) for r in requests if r.asked_by is not None],
    )


def _claimed(request: PaymentRequest, *payer: UserId) -> tuple[Any, ...]:
    """What a claim has behind the scope."""
    return request.fingerprint, request.payment_id, *payer, request.provider_id, request.money.currency
