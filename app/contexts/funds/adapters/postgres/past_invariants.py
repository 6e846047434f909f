"""That looking back adds up, as a query for what contradicts it; see `invariants`."""

from typing import Final

SAMPLE: Final = 50
"""Wallets that are looked at, whichever."""

# In the order of their times, as whoever looks back takes them: then it adds up between any two.
_STATEMENTS_ADD_UP = f"""
    SELECT format('wallet %s of user %s held %s behind %s, but all that moved it until then comes to %s', currency,
                  user_id, balance_after, created_at, moved)
    FROM (
        SELECT e.user_id, e.currency, e.balance_after, e.created_at,
               sum(e.amount) OVER (
                   PARTITION BY e.user_id, e.currency ORDER BY e.created_at, e.wallet_version ROWS UNBOUNDED PRECEDING
               ) AS moved
        FROM (SELECT user_id, currency FROM wallet_balances ORDER BY random() LIMIT {SAMPLE}) w
        JOIN ledger_entries e ON e.user_id = w.user_id AND e.currency = w.currency AND e.account = 'wallet'
    ) e
    WHERE moved IS DISTINCT FROM balance_after
"""

QUERIES = (
    (
        "statements_add_up",
        f"of {SAMPLE} wallets each, between any two times: what moved it is what it holds more, or less",
        _STATEMENTS_ADD_UP,
    ),
)
"""Name, claim and query."""
