"""What a work writes: one set-based statement a table, whatever the number of rows."""

from collections.abc import Iterator
from typing import Final

from app.contexts.funds import part
from app.contexts.funds.adapters.postgres import hold_rows, operation_rows, wallet_rows
from app.contexts.funds.adapters.postgres.event_documents import document
from app.contexts.funds.adapters.postgres.v1_keys import RECEIVING
from app.contexts.funds.application.books import Changes
from app.platform.postgres.outbox_writer import NewEvent, OutboxWriter
from app.platform.postgres.pipeline import Call, Statement, columns

_INSERT_TRANSACTIONS: Final = Statement("""
    INSERT INTO transactions (user_id, id, kind, reference, amount, currency, status, created_at, counterparty, note,
                              business_id, hold_id, fee_id)
    SELECT * FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[],
                         %b::timestamptz[], %b::uuid[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[])
""")

_OUTBOX: Final = OutboxWriter("funds")


def statements(changes: Changes) -> Iterator[Call]:
    """The statements that write the changes, each with its columns. Parents come before their children."""
    if changes.placed_holds:
        yield hold_rows.insert_holds(changes.placed_holds.values())
    if changes.changed_holds:
        yield hold_rows.update_holds(changes.changed_holds.values())
    if changes.transactions:
        yield _INSERT_TRANSACTIONS, columns([
            (t.user_id, t.id, t.kind, t.reference, t.money.amount_minor, t.money.currency, t.status, t.created_at,
             t.counterparty, t.note, t.business_id, t.hold_id, t.fee_id)
            for t in changes.transactions
        ])  # fmt: skip
        yield part.entries(changes.transactions)
        yield wallet_rows.write_wallets(changes.wallets)
    if changes.outcomes:
        yield operation_rows.store(changes.outcomes)
    if changes.bulks:
        yield operation_rows.insert_bulks(changes.bulks)
    if changes.answers:
        yield RECEIVING.store(changes.answers, changes.made)  # the same statement for all keys of /v1
    if changes.events:
        yield _OUTBOX.insert([
            NewEvent(e.owner, e.id, e.subject_id, e.sequence, e.type, document(e), e.occurred_at, e.tenant_id)
            for e in changes.events
        ])  # fmt: skip
