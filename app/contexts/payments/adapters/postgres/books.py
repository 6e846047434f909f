"""The books of payments: two round trips a batch, whatever its size.

The first begins the transaction and claims or locks, in the one order that all works keep (keys, payments, wallets,
each by user first). The second writes everything and commits.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain

from app.contexts.funds import part
from app.contexts.funds.public import Wallet, WalletId
from app.contexts.payments.adapters.postgres import writes as writing
from app.contexts.payments.adapters.postgres.idempotency import KEYS
from app.contexts.payments.adapters.postgres.rows import PAYMENT_COLUMNS, payment_of
from app.contexts.payments.application.books import Changes, Claimed, Held
from app.contexts.payments.application.request import PaymentRequest
from app.contexts.payments.domain.ids import PaymentId
from app.contexts.payments.domain.payment import Payment
from app.platform.idempotency.keys import KeyRecord, KeyScope
from app.platform.idempotency.statements import answers_of, records_of, won
from app.platform.postgres.errors import Retry
from app.platform.postgres.pipeline import Statement
from app.platform.postgres.pool import Pool
from app.platform.postgres.transactions import DatabaseTransaction, Transactions

_ACTIVE_PROVIDERS = Statement("SELECT id FROM service_providers WHERE id = ANY(%b::uuid[]) AND is_active")

_LOCK_PAYMENTS = Statement(f"""
    SELECT {PAYMENT_COLUMNS}
    FROM payments p
    WHERE (p.user_id, p.id) IN (SELECT * FROM unnest(%b::uuid[], %b::uuid[]))
    ORDER BY p.user_id, p.id
    FOR UPDATE OF p
""")


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
        (claims, wallets), now = await self._transaction.begin(
            KEYS.claim([
                (r.user_id, r.key, r.fingerprint, r.payment_id, r.provider_id, r.money.currency) for r in requests
            ]),
            part.lock_wallets([(r.user_id, r.money.currency) for r in requests]),
        )  # fmt: skip
        own = won(claims)
        locked = part.wallets_of(wallets)
        lost = [request for request in requests if request.scope not in own]
        records = await self._records(lost, locked) if lost else {}
        return Claimed(own, records, locked, now)

    async def _records(
        self, requests: Sequence[PaymentRequest], wallets: Mapping[WalletId, Wallet]
    ) -> Mapping[KeyScope, KeyRecord[Payment]]:
        rows, active = await self._transaction.read(
            KEYS.records([request.scope for request in requests]),
            (_ACTIVE_PROVIDERS, ([r.provider_id for r in requests],)),
        )
        records = records_of(rows, payment_of)
        providers = {row[0] for row in active}
        for request in requests:
            has_all = (request.user_id, request.money.currency) in wallets and request.provider_id in providers
            if has_all and request.scope not in records:
                # Its old record was purged, or its wallet opened, between two of our statements.
                raise Retry
        return records

    async def hold(self, payments: Sequence[Payment], refundable: Sequence[Payment]) -> Held:
        """Lock the payments with their keys, and the wallets of those that may be refunded."""
        users = [payment.user_id for payment in payments]
        (keys, rows, *wallets), now = await self._transaction.begin(
            KEYS.lock([(payment.user_id, payment.idempotency_key) for payment in payments]),
            (_LOCK_PAYMENTS, (users, [payment.id for payment in payments])),
            *([part.lock_wallets([(p.user_id, p.money.currency) for p in refundable])] if refundable else []),
        )
        answers = {PaymentId(made): answer for made, answer in answers_of(keys).items()}
        held = {payment.id: payment for payment in map(payment_of, rows)}
        return Held(held, answers, part.wallets_of(chain.from_iterable(wallets)), now)

    async def commit(self, changes: Changes) -> None:
        """Write it all and commit. When this raises, the caller cannot know whether it happened."""
        await self._transaction.commit(writing.statements(changes))
