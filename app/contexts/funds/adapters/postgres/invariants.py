"""The invariants of wallets and their ledger, each as a query for what contradicts it.

An offender is a line of text. They hold against an owner who drops constraints and writes what he likes: what could not
be computed or compared is itself an offender. Sums and steps are NUMERIC, which does not overflow.
"""

_ENTRIES_SUM_TO_ZERO = """
    SELECT format('transaction %s of user %s: %s of %s too much', transaction_id, user_id, sum(amount), currency)
    FROM ledger_entries
    GROUP BY transaction_id, user_id, currency
    HAVING sum(amount) <> 0
"""

# By its kind a transaction is between two accounts, one of which gives. A kind that is none has no accounts.
_TRANSACTIONS_HAVE_TWO_LEGS = """
    SELECT format('transaction %s of user %s has %s entries', t.id, t.user_id, count(e.account))
    FROM (
        SELECT t.*, CASE kind WHEN 'CAPTURE_OUT' THEN 'held' ELSE 'wallet' END AS own,
               CASE WHEN kind = 'FUNDING' THEN 'funding'
                    WHEN kind IN ('PAYMENT', 'REFUND', 'MERCHANT_REFUND') THEN 'payments'
                    WHEN kind IN ('HOLD', 'RELEASE') THEN 'held'
                    WHEN kind IN ('TRANSFER_OUT', 'TRANSFER_IN', 'CAPTURE_OUT', 'CAPTURE_IN', 'FEE') THEN 'transfers'
                    ELSE '' END AS other,
               kind IN ('PAYMENT', 'TRANSFER_OUT', 'HOLD', 'CAPTURE_OUT') AS gives
        FROM transactions t
    ) t
    LEFT JOIN ledger_entries e ON e.user_id = t.user_id AND e.transaction_id = t.id
    GROUP BY t.id, t.user_id
    HAVING count(e.account) <> 2 OR count(*) FILTER (WHERE e.account = t.own) <> 1
        OR bool_or(t.kind IS DISTINCT FROM 'PAYMENT' AND t.status IS DISTINCT FROM 'COMPLETED')
        OR bool_or((e.account IN (t.own, t.other)) IS NOT TRUE)
        OR bool_or((e.currency = t.currency AND abs(e.amount::numeric) = t.amount) IS NOT TRUE)
        OR bool_or(e.account = t.own AND (e.amount < 0) IS DISTINCT FROM t.gives)
    UNION ALL
    SELECT format('%s of %s in the %s account of user %s belong to transaction %s, which does not exist',
                  e.amount, e.currency, e.account, e.user_id, e.transaction_id)
    FROM ledger_entries e
    LEFT JOIN transactions t ON t.user_id = e.user_id AND t.id = e.transaction_id
    WHERE t.id IS NULL
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

_HELD_IS_WHAT_HOLDS_HOLD = """
    SELECT format('wallet %s of user %s: %s set aside, but its entries say %s, its open holds %s', currency, user_id,
                  stored, entries, held)
    FROM (
        SELECT user_id, currency, sum(stored) AS stored, sum(entry) AS entries, sum(open) AS held, max(full_) AS full_
        FROM (
            SELECT user_id, currency, coalesce(held, -1)::numeric AS stored, 0 AS entry, 0 AS open,
                   current_balance::numeric + held AS full_
            FROM wallet_balances
            UNION ALL
            SELECT user_id, currency, 0, amount, 0, 0 FROM ledger_entries WHERE account = 'held'
            UNION ALL
            SELECT user_id, currency, 0, 0, amount, 0 FROM holds WHERE status = 'OPEN'
        ) rows
        GROUP BY user_id, currency
    ) w
    WHERE stored <> entries OR stored <> held OR stored < 0 OR full_ > 9223372036854775807
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
    WHERE wallet_version <> version_before::numeric + 1 OR balance_after <> balance_before::numeric + amount
        OR balance_after < 0
"""

# An index whose order has changed must not hide what it let in: neither groups nor what is not NULL come from it.
_REFERENCES_PAY_IN_ONCE = """
    SELECT format('user %s was paid in %s times under one reference in %s: transactions %s', user_id, count(*),
                  currency, string_agg(id::text, ', ' ORDER BY created_at, id))
    FROM transactions
    WHERE (reference IS NULL) IS FALSE
    GROUP BY user_id, currency, convert_to(reference, 'UTF8')
    HAVING count(*) > 1
"""

QUERIES = (
    ("entries_sum_to_zero", "the entries of every transaction sum to zero", _ENTRIES_SUM_TO_ZERO),
    (
        "transactions_have_two_legs",
        "every transaction moves its amount between the two accounts of its kind, every entry is part of one",
        _TRANSACTIONS_HAVE_TWO_LEGS,
    ),
    (
        "wallets_match_their_entries",
        "every balance is the sum of its wallet's entries, equals the newest balance_after, and is not negative",
        _WALLETS_MATCH_THEIR_ENTRIES,
    ),
    ("histories_have_no_gaps", "every wallet entry follows from the one before", _HISTORIES_HAVE_NO_GAPS),
    ("references_pay_in_once", "no reference has paid into a wallet twice", _REFERENCES_PAY_IN_ONCE),
    (
        "held_is_what_holds_hold",
        "what is set aside of every wallet is the sum of its entries, and of what its open holds hold",
        _HELD_IS_WHAT_HOLDS_HOLD,
    ),
)
"""Name, claim and query."""
