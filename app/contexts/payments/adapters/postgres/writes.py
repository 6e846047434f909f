"""What a work writes: one set-based statement a table, whatever the number of rows."""

from collections.abc import Iterator
from typing import Final

from msgspec.json import encode

from app.contexts.funds import part
from app.contexts.payments.adapters.postgres.event_documents import document
from app.contexts.payments.adapters.postgres.idempotency import KEYS, V1_KEYS
from app.contexts.payments.application.books import Changes
from app.contexts.payments.application.request import KeyOfV1, scope_of_payment
from app.kernel.ids import UserId
from app.platform.idempotency.keys import Answer, KeyScope
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter
from app.platform.postgres.pipeline import Call, Statement, columns

_INSERT_PAYMENTS = Statement("""
    INSERT INTO payments (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount,
                          currency, status, traceparent, created_at, tenant_id, asked_by, metadata)
    SELECT r.user_id, r.id, r.transaction_id, r.idempotency_key, r.provider_id, r.external_reference, r.amount,
           r.currency, r.status, r.traceparent, r.created_at, r.tenant_id, r.asked_by, r.metadata::jsonb
    FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::bigint[],
                %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::uuid[], %b::uuid[], %b::text[])
        AS r (user_id, id, transaction_id, idempotency_key, provider_id, external_reference, amount, currency, status,
              traceparent, created_at, tenant_id, asked_by, metadata)
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

OUTBOX: Final = OutboxWriter("payments")


def statements(changes: Changes) -> Iterator[Call]:
    """The statements that write the changes, each with its columns. Parents come before their children."""
    if changes.new_payments:
        yield _INSERT_PAYMENTS, columns([
            (p.user_id, p.id, p.transaction_id, p.idempotency_key, p.provider_id, p.external_reference,
             p.money.amount_minor, p.money.currency, p.status, p.traceparent, p.created_at, p.tenant_id, p.asked_by,
             encode(p.metadata).decode() if p.metadata else None)
            for p in changes.new_payments
        ])  # fmt: skip
    if changes.marked_payments:
        yield _MARK_PAYMENTS, columns([(p.user_id, p.id, p.void_requested_at) for p in changes.marked_payments])
    if changes.settled_payments:
        yield (
            _SETTLE_PAYMENTS,
            columns([(p.user_id, p.id, p.status, p.failure_code, p.finalized_at) for p in changes.settled_payments]),
        )
        yield part.settle([(p.user_id, p.transaction_id, p.status) for p in changes.settled_payments])
    if changes.transactions:
        yield from part.write(changes.transactions)
    if changes.answers:
        yield from _store(changes)
    if changes.events:
        yield OUTBOX.insert([
            NewEvent(
                e.payment.user_id, e.id, e.payment.id, e.sequence, e.type, document(e), e.occurred_at,
                e.payment.tenant_id,
            )
            for e in changes.events
        ])  # fmt: skip


def _store(changes: Changes) -> Iterator[Call]:
    """Each answer with its key. Only those of settled payments belong to one."""
    paid = {scope_of_payment(payment) for payment in changes.settled_payments}
    plain: dict[KeyScope, Answer] = {}
    of_v1: dict[KeyScope, Answer] = {}
    for scope, answer in changes.answers.items():
        if isinstance(scope, KeyOfV1):
            of_v1[UserId(scope.asked_by), scope.key] = answer
        else:
            plain[scope] = answer
    if plain:
        yield KEYS.store(plain, {scope for scope in plain if scope in paid})
    if of_v1:
        yield V1_KEYS.store(of_v1, {scope for scope in of_v1 if KeyOfV1(*scope) in paid})
