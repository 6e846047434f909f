"""What a work writes: one set-based statement a table, whatever the number of rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.adapters.postgres.documents import document
from app.adapters.postgres.outbox import PARTITIONS
from app.adapters.postgres.pipeline import Call, Statement
from app.application.ports import Changes

_INSERT_PAYMENTS = Statement("""
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, traceparent, created_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::bigint[],
                         %b::text[], %b::text[], %b::text[], %b::timestamptz[])
""")

# A PENDING payment is one without a final time. Asked for by its status it would be looked for in the index of pending
# ones, with all that have been in it since the last vacuum: 350 µs a small batch instead of 80, and more with each.
_MARK_PAYMENTS = Statement("""
    UPDATE payments p SET void_requested_at = r.at
    FROM unnest(%b::uuid[], %b::uuid[], %b::timestamptz[]) AS r (user_id, id, at)
    WHERE p.user_id = r.user_id AND p.id = r.id AND p.finalized_at IS NULL
""")

_SETTLE_PAYMENTS = Statement("""
    UPDATE payments p SET status = r.status, failure_code = r.failure_code, finalized_at = r.finalized_at
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[])
        AS r (user_id, id, status, failure_code, finalized_at)
    WHERE p.user_id = r.user_id AND p.id = r.id AND p.finalized_at IS NULL
        AND (r.status <> 'APPROVED' OR p.void_requested_at IS NULL)
""")

_SETTLE_TRANSACTIONS = Statement("""
    UPDATE transactions t SET status = r.status
    FROM unnest(%b::uuid[], %b::uuid[], %b::text[]) AS r (user_id, id, status)
    WHERE t.user_id = r.user_id AND t.id = r.id
""")

_INSERT_TRANSACTIONS = Statement("""
    INSERT INTO transactions (user_id, id, kind, payment_id, reference, amount, currency, status, created_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::bigint[], %b::text[],
                         %b::text[], %b::timestamptz[])
""")

_INSERT_ENTRIES = Statement("""
    INSERT INTO ledger_entries (user_id, transaction_id, account, currency, amount, balance_after, wallet_version,
                                created_at)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::bigint[],
                         %b::timestamptz[])
""")

_UPDATE_WALLETS = Statement("""
    UPDATE wallet_balances w
    SET current_balance = r.balance, version = r.version, updated_at = clock_timestamp()
    FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::bigint[]) AS r (user_id, currency, balance, version)
    WHERE w.user_id = r.user_id AND w.currency = r.currency
""")

# A request that was refused for want of funds has an answer and no payment.
_STORE_ANSWERS = Statement("""
    UPDATE idempotency_keys k
    SET response_status = r.status, response_body = r.body, finalized_at = clock_timestamp(),
        payment_id = CASE WHEN r.paid THEN k.payment_id END
    FROM unnest(%b::uuid[], %b::text[], %b::smallint[], %b::bytea[], %b::boolean[])
        AS r (user_id, key, status, body, paid)
    WHERE k.user_id = r.user_id AND k.key = r.key
""")

# In order, so that ids follow the order of a payment's events.
_INSERT_EVENTS = Statement("""
    INSERT INTO outbox_events (user_id, event_id, payment_id, sequence, type, payload, partition, created_at)
    SELECT r.user_id, r.event_id, r.payment_id, r.sequence, r.type, r.payload::json, r.partition, r.created_at
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::smallint[], %b::text[], %b::text[], %b::smallint[],
                %b::timestamptz[])
        WITH ORDINALITY AS r (user_id, event_id, payment_id, sequence, type, payload, partition, created_at, nth)
    ORDER BY r.nth
""")


def statements(changes: Changes) -> Iterator[Call]:
    """The statements that write the changes, each with its columns. Parents come before their children."""
    if changes.new_payments:
        yield _INSERT_PAYMENTS, _columns([
            (p.user_id, p.id, p.transaction_id, p.idempotency_key, p.provider_id, p.external_reference,
             p.money.amount_minor, p.money.currency, p.status, p.traceparent, p.created_at)
            for p in changes.new_payments
        ])  # fmt: skip
    if changes.marked_payments:
        yield _MARK_PAYMENTS, _columns([(p.user_id, p.id, p.void_requested_at) for p in changes.marked_payments])
    if changes.settled_payments:
        yield (
            _SETTLE_PAYMENTS,
            _columns([(p.user_id, p.id, p.status, p.failure_code, p.finalized_at) for p in changes.settled_payments]),
        )
        yield (
            _SETTLE_TRANSACTIONS,
            _columns([(p.user_id, p.transaction_id, p.status) for p in changes.settled_payments]),
        )
    if changes.transactions:
        yield from _movements(changes)
    if changes.answers:
        # Of the answers only those of settled payments belong to one.
        paid = {(p.user_id, p.idempotency_key) for p in changes.settled_payments}
        yield (
            _STORE_ANSWERS,
            _columns(
                [(*scope, answer.status, answer.body, scope in paid) for scope, answer in changes.answers.items()]
            ),
        )
    if changes.events:
        yield _INSERT_EVENTS, _columns([
            (e.payment.user_id, e.id, e.payment.id, e.sequence, e.type, document(e),
             e.payment.user_id.int % PARTITIONS, e.occurred_at)
            for e in changes.events
        ])  # fmt: skip


def _movements(changes: Changes) -> Iterator[Call]:
    yield _INSERT_TRANSACTIONS, _columns([
        (t.user_id, t.id, t.kind, t.payment_id, t.reference, t.money.amount_minor, t.currency, t.status,
         t.created_at)
        for t in changes.transactions
    ])  # fmt: skip
    yield _INSERT_ENTRIES, _columns([
        (t.user_id, t.id, e.account, t.currency, e.amount_minor, e.balance_after_minor, e.wallet_version,
         t.created_at)
        for t in changes.transactions
        for e in t.entries
    ])  # fmt: skip
    yield (
        _UPDATE_WALLETS,
        _columns([(w.user_id, w.currency, w.balance_minor, w.version) for w in changes.wallets.values()]),
    )


def _columns(rows: Sequence[Sequence[object]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))
