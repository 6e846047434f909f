"""The books' invariants, each as a query for what contradicts it.

All of them see one snapshot, so that nothing under way raises a false alarm. They walk primary keys in order and
stream what they find: memory stays bounded however many rows there are.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection, IsolationLevel

from app.adapters.postgres.pool import session_url
from app.application.integrity.charges import BookedPayment

Row = tuple[Any, ...]

ROWS_AT_A_TIME = 1_000

_ENTRIES_SUM_TO_ZERO = """
    SELECT format('transaction %s of user %s: %s of %s too much', transaction_id, user_id, sum(amount), currency)
    FROM ledger_entries
    GROUP BY user_id, transaction_id, currency
    HAVING sum(amount) <> 0
"""

_TRANSACTIONS_HAVE_TWO_LEGS = """
    SELECT format('transaction %s of user %s has %s entries', t.id, t.user_id, count(e.account))
    FROM transactions t
    LEFT JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    GROUP BY t.user_id, t.id
    HAVING count(e.account) <> 2 OR count(*) FILTER (WHERE e.account = 'wallet') <> 1
        OR (t.kind <> 'PAYMENT' AND t.status <> 'COMPLETED')
        OR bool_or(e.account NOT IN ('wallet', CASE t.kind WHEN 'FUNDING' THEN 'funding' ELSE 'payments' END))
        OR bool_or(e.currency <> t.currency OR abs(e.amount::numeric) <> t.amount
                   OR e.account = 'wallet' AND (e.amount < 0) <> (t.kind = 'PAYMENT'))
"""

_WALLETS_MATCH_THEIR_ENTRIES = """
    SELECT format('wallet %s of user %s: balance %s at version %s, but its entries say %s at %s (newest %s)',
                  coalesce(w.currency, e.currency), coalesce(w.user_id, e.user_id), w.current_balance, w.version,
                  e.total, e.newest, e.balance_after)
    FROM wallet_balances w
    FULL JOIN (
        SELECT user_id, currency, sum(amount) AS total, max(wallet_version) AS newest,
               (array_agg(balance_after ORDER BY wallet_version DESC))[1] AS balance_after
        FROM ledger_entries
        WHERE account = 'wallet'
        GROUP BY user_id, currency
    ) e ON e.user_id = w.user_id AND e.currency = w.currency
    WHERE w.current_balance IS DISTINCT FROM coalesce(e.total, 0)
        OR w.version IS DISTINCT FROM coalesce(e.newest, 0)
        OR w.current_balance IS DISTINCT FROM coalesce(e.balance_after, 0)
        OR w.current_balance < 0
"""

_HISTORIES_HAVE_NO_GAPS = """
    SELECT format('entry %s of the %s wallet of user %s does not follow the one before', wallet_version, currency,
                  user_id)
    FROM (
        SELECT user_id, currency, wallet_version, amount, balance_after,
               lag(wallet_version, 1, 0::bigint) OVER wallet AS version_before,
               lag(balance_after, 1, 0::bigint) OVER wallet AS balance_before
        FROM ledger_entries
        WHERE account = 'wallet'
        WINDOW wallet AS (PARTITION BY user_id, currency ORDER BY wallet_version)
    ) e
    WHERE wallet_version <> version_before + 1 OR balance_after <> balance_before::numeric + amount
        OR balance_after < 0
"""

_PAYMENTS_MATCH_THEIR_TRANSACTIONS = """
    SELECT format('payment %s of user %s is %s with %s debit(s) and %s refund(s) that fit', p.id, p.user_id, p.status,
                  t.debits, t.refunds)
    FROM payments p
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE t.kind = 'PAYMENT' AND t.id = p.transaction_id AND t.status = p.status
                                    AND t.amount = p.amount AND t.currency = p.currency) AS debits,
               count(*) FILTER (WHERE t.kind = 'REFUND' AND t.status = 'COMPLETED'
                                    AND t.amount = p.amount AND t.currency = p.currency) AS refunds,
               count(*) AS all_of_them
        FROM transactions t
        WHERE t.user_id = p.user_id AND t.payment_id = p.id
    ) t ON true
    WHERE t.debits <> 1 OR t.refunds <> CASE WHEN p.status IN ('DECLINED', 'FAILED') THEN 1 ELSE 0 END
        OR t.all_of_them <> t.debits + t.refunds
"""

_KEYS_MATCH_THEIR_PAYMENTS = """
    SELECT format('payment %s of user %s is %s, its key %s', p.id, p.user_id, p.status,
                  CASE WHEN k.key IS NULL THEN 'is gone' WHEN k.finalized_at IS NULL THEN 'has no answer'
                       ELSE 'has an answer' END)
    FROM payments p
    LEFT JOIN idempotency_keys k ON k.user_id = p.user_id AND k.key = p.idempotency_key AND k.payment_id = p.id
    WHERE CASE WHEN p.status = 'PENDING' THEN k.key IS NULL OR k.finalized_at IS NOT NULL
               ELSE k.key IS NOT NULL AND k.finalized_at IS NULL END
    UNION ALL
    SELECT format('a key of user %s names payment %s, which does not exist or has another key', k.user_id, k.payment_id)
    FROM idempotency_keys k
    LEFT JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
    WHERE k.payment_id IS NOT NULL AND p.idempotency_key IS DISTINCT FROM k.key
    UNION ALL
    SELECT format('the answer stored for payment %s of user %s is not one of a payment that is %s',
                  p.id, p.user_id, p.status)
    FROM idempotency_keys k
    JOIN payments p ON p.user_id = k.user_id AND p.id = k.payment_id
    WHERE k.finalized_at IS NOT NULL
        AND (CASE WHEN p.status = 'FAILED' THEN k.response_status NOT IN (502, 504) ELSE k.response_status <> 201 END
             OR position(convert_to(format('"payment_id":"%s"', p.id), 'UTF8') IN k.response_body) = 0
             OR position(convert_to(format('"status":"%s"', p.status), 'UTF8') IN k.response_body) = 0)
    UNION ALL
    SELECT format('a key of user %s made at %s has neither payment nor answer', user_id, created_at)
    FROM idempotency_keys
    WHERE payment_id IS NULL AND finalized_at IS NULL
"""

# Sent events leave after their retention: older payments cannot be held against it. An event is a
# number, by its type at its place in the sequence: sums, unlike lists, are made in parallel and without sorting. A
# payload is taken apart only when it does not begin as we write it.
_PAYMENTS_MATCH_THEIR_EVENTS = """
    SELECT format('payment %%s of user %%s is %%s, its events in the outbox are %%s', p.id, p.user_id, p.status,
                  (SELECT array_agg(type ORDER BY sequence) FROM outbox_events e
                   WHERE e.user_id = p.user_id AND e.payment_id = p.id))
    FROM payments p
    LEFT JOIN (
        SELECT user_id, payment_id, sum(CASE sequence || type WHEN '1payment.created' THEN 1
            WHEN '2payment.completed' THEN 100 WHEN '2payment.failed' THEN 10000 WHEN '3refund.created' THEN 1000000
            ELSE 100000000 END) AS events
        FROM outbox_events
        GROUP BY user_id, payment_id
    ) o ON o.user_id = p.user_id AND o.payment_id = p.id
    WHERE p.created_at > now() - make_interval(hours => 1) * %(retention_h)s::float8
        AND o.events IS DISTINCT FROM CASE p.status
            WHEN 'PENDING' THEN 1 WHEN 'APPROVED' THEN 1 + 100 ELSE 1 + 10000 + 1000000 END
    UNION ALL
    SELECT format('event %%s of user %%s is about payment %%s, which does not exist',
                  o.event_id, o.user_id, o.payment_id)
    FROM outbox_events o
    LEFT JOIN payments p ON p.user_id = o.user_id AND p.id = o.payment_id
    WHERE p.id IS NULL
    UNION ALL
    SELECT format('the payload of event %%s of user %%s is not its own', o.event_id, o.user_id)
    FROM outbox_events o
    WHERE CASE WHEN starts_with(o.payload::text, format(
            '{"specversion":"1.0","id":"%%s","source":"/strongbox","type":"%%s","subject":"%%s",',
            o.event_id, o.type, o.payment_id)) THEN false
        ELSE payload->>'id' IS DISTINCT FROM event_id::text OR payload->>'type' IS DISTINCT FROM type
            OR payload->>'subject' IS DISTINCT FROM payment_id::text END
"""

_LEDGER_IS_APPEND_ONLY = """
    SELECT format('strongbox_app may %s %s', privilege, relation)
    FROM unnest(ARRAY['ledger_entries', 'audit.events', 'audit.actions']) relation,
         unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) privilege
    WHERE CASE WHEN to_regclass(relation) IS NULL THEN false
               WHEN privilege = 'UPDATE' THEN has_any_column_privilege('strongbox_app', relation, privilege)
               ELSE has_table_privilege('strongbox_app', relation, privilege) END
"""

QUERIES = (
    ("entries_sum_to_zero", "the entries of every transaction sum to zero", _ENTRIES_SUM_TO_ZERO),
    (
        "transactions_have_two_legs",
        "every transaction moves its amount between the wallet and one other account",
        _TRANSACTIONS_HAVE_TWO_LEGS,
    ),
    (
        "wallets_match_their_entries",
        "every balance is the sum of its wallet's entries, equals the newest balance_after, and is not negative",
        _WALLETS_MATCH_THEIR_ENTRIES,
    ),
    ("histories_have_no_gaps", "every wallet entry follows from the one before", _HISTORIES_HAVE_NO_GAPS),
    (
        "payments_match_their_transactions",
        "every payment was debited once, and refunded exactly once if declined or failed",
        _PAYMENTS_MATCH_THEIR_TRANSACTIONS,
    ),
    (
        "keys_match_their_payments",
        "every pending payment holds its key, every final one has its answer stored with it",
        _KEYS_MATCH_THEIR_PAYMENTS,
    ),
    (
        "payments_match_their_events",
        "every payment has the events of its status, each once, and no event lacks its payment",
        _PAYMENTS_MATCH_THEIR_EVENTS,
    ),
    ("ledger_is_append_only", "strongbox_app cannot change or delete entries", _LEDGER_IS_APPEND_ONLY),
)


@dataclass(frozen=True, slots=True)
class QueryCheck:
    """A claim that holds when its query finds nothing."""

    connection: AsyncConnection[Row]
    name: str
    claim: str
    query: str
    parameters: dict[str, object] | None

    async def offenders(self) -> AsyncIterator[str]:
        """What the query finds, a line each."""
        async for (line,) in rows(self.connection, self.query, self.parameters):
            yield line


async def rows(
    connection: AsyncConnection[Row], query: str, parameters: dict[str, object] | None = None
) -> AsyncIterator[Row]:
    """What the query finds, as it comes in: unlike a cursor's, its plan is made for all rows, and may be parallel."""
    async with connection.cursor() as cursor:
        async for row in cursor.stream(query, parameters, size=ROWS_AT_A_TIME):
            yield row


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[AsyncConnection[Row]]:
    """A connection that sees the database as it is now, for as long as it is open, and writes nothing."""
    connection = await AsyncConnection.connect(
        session_url(
            url,
            "strongbox-verify",
            statement_timeout=0,
            idle_in_transaction_session_timeout=0,
            work_mem="64MB",
            # Offenders are few, whatever the planner expects: nothing speaks against finding them in parallel.
            parallel_tuple_cost=0,
            jit="off",
        ),
        autocommit=False,
    )
    try:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        await connection.execute("SELECT 1")  # the snapshot is taken by the first statement
        yield connection
    finally:
        # No ROLLBACK: whoever was interrupted in the middle of a stream holds the connection's lock.
        await connection.close()


def checks_of_the_books(connection: AsyncConnection[Row], retention_h: float) -> Sequence[QueryCheck]:
    """The checks over one snapshot."""
    return [
        # Only the query with a parameter has its percent signs doubled.
        QueryCheck(connection, name, claim, query, {"retention_h": retention_h} if "%(" in query else None)
        for name, claim, query in QUERIES
    ]


async def booked_payments(connection: AsyncConnection[Row], cut: datetime) -> AsyncIterator[BookedPayment]:
    """All payments of the snapshot, in the order of their ids. Due are those that were final before the cut."""
    query = """
        SELECT id, status, amount, currency, coalesce(finalized_at < %(cut)s, false) FROM payments ORDER BY id
    """
    async for row in rows(connection, query, {"cut": cut}):
        yield BookedPayment._make(row)


async def time_of(url: str) -> datetime:
    """What the database's clock says, by which payments became final."""
    async with snapshot(url) as connection:
        cursor = await connection.execute("SELECT clock_timestamp()")
        ((now,),) = await cursor.fetchall()
        assert isinstance(now, datetime)
        return now


async def append_only_is_enforced(connection: AsyncConnection[Row]) -> bool:
    """Whether the role of this connection is held to appending: the owner and superusers are not."""
    cursor = await connection.execute("SELECT has_table_privilege('ledger_entries', 'UPDATE')")
    return await cursor.fetchone() == (False,)
