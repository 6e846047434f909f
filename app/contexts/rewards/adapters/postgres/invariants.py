"""The invariants of cashback that its database can show, each as a query for what contradicts it.

They see the rows of one tenant at a time, as anybody does. They hold against an owner who drops constraints.
"""

from collections.abc import Sequence
from typing import Final

from app.contexts.rewards.domain.account import AT_ONCE
from app.platform.postgres.walls import Claim

# What lines of each kind move: accrued, minting, minted, debt.
_MOVES: Final = """
    coalesce(sum(CASE kind WHEN 'EARNED' THEN amount WHEN 'MINT_FAILED' THEN amount
                           WHEN 'REVERSED' THEN owed - amount WHEN 'MINTED' THEN 0 ELSE -amount END), 0) AS accrued,
    coalesce(sum(CASE kind WHEN 'MINTING' THEN amount WHEN 'MINTED' THEN -amount WHEN 'MINT_FAILED' THEN -amount END),
             0) AS minting,
    coalesce(sum(amount) FILTER (WHERE kind = 'MINTED'), 0) AS minted,
    coalesce(sum(CASE kind WHEN 'REVERSED' THEN owed WHEN 'OFFSET' THEN -amount END), 0) AS debt,
    coalesce(sum(amount) FILTER (WHERE kind = 'EARNED'), 0) AS earned,
    coalesce(sum(amount) FILTER (WHERE kind = 'REVERSED'), 0) AS reversed
"""

_ADDS_UP: Final = f"""
    SELECT format('user %s: earned %s, reversed %s; accrued %s, minting %s, minted %s, debt %s',
                  coalesce(u.user_id, l.user_id), l.earned, l.reversed, u.accrued, u.minting, u.minted, u.debt)
    FROM rewards.users u
    FULL JOIN (SELECT user_id, {_MOVES} FROM rewards.cashback_ledger GROUP BY user_id) l ON l.user_id = u.user_id
    WHERE coalesce(l.earned, 0) - coalesce(l.reversed, 0)
            IS DISTINCT FROM u.accrued + u.minting + u.minted - u.debt
        OR (coalesce(l.accrued, 0), coalesce(l.minting, 0), coalesce(l.minted, 0), coalesce(l.debt, 0))
            IS DISTINCT FROM (u.accrued, u.minting, u.minted, u.debt)
        OR u.accrued > 0 AND u.debt > 0
"""

_ENTRIES: Final = f"""
    SELECT format('entry %s of user %s: its lines say %s earned, %s reversed, %s accrued, %s minting, %s minted',
                  coalesce(e.id, l.entry_id), coalesce(e.user_id, l.user_id), l.earned, l.reversed, l.accrued,
                  l.minting, l.minted)
    FROM rewards.entries e
    FULL JOIN (
        SELECT user_id, entry_id, {_MOVES} FROM rewards.cashback_ledger GROUP BY user_id, entry_id
    ) l ON l.user_id = e.user_id AND l.entry_id = e.id
    WHERE (e.amount, e.reversed, e.accrued, e.minting, e.minted)
        IS DISTINCT FROM (l.earned, l.reversed, l.accrued, l.minting, l.minted)
    UNION ALL
    SELECT format('purchase %s of user %s has earned %s, its entry %s', coalesce(p.id, e.purchase_id),
                  coalesce(p.user_id, e.user_id), p.cashback, e.amount)
    FROM (SELECT * FROM rewards.purchases WHERE entry_id IS NOT NULL) p
    FULL JOIN rewards.entries e ON e.id = p.entry_id AND e.user_id = p.user_id AND e.purchase_id = p.id
    WHERE (p.cashback, p.rule_id, p.merchant, p.reference)
        IS DISTINCT FROM (e.amount, e.rule_id, e.merchant, e.reference)
    UNION ALL
    SELECT format('of purchase %s of user %s, %s were given back of %s, and %s of its cashback of %s reversed', p.id,
                  p.user_id, f.amount, p.amount, f.reversed, p.cashback)
    FROM rewards.purchases p
    JOIN (
        SELECT purchase_id, sum(amount) AS amount, sum(reversed) AS reversed FROM rewards.refunds GROUP BY purchase_id
    ) f ON f.purchase_id = p.id
    LEFT JOIN rewards.entries e ON e.id = p.entry_id AND e.user_id = p.user_id
    WHERE f.amount > p.amount OR f.reversed IS DISTINCT FROM coalesce(e.reversed, 0)
"""

_ONE_MINT: Final = """
    SELECT format('entry %s of user %s was minted %s times', entry_id, user_id, count(*))
    FROM rewards.cashback_ledger WHERE kind = 'MINTED' GROUP BY user_id, entry_id HAVING count(*) > 1
    UNION ALL
    SELECT format('request %s of entry %s of user %s was made %s times and ended %s times', request_id,
                  min(entry_id::text), user_id, count(*) FILTER (WHERE kind = 'MINTING'),
                  count(*) FILTER (WHERE kind <> 'MINTING'))
    FROM rewards.cashback_ledger WHERE request_id IS NOT NULL GROUP BY user_id, request_id
    HAVING count(*) FILTER (WHERE kind = 'MINTING') <> 1 OR count(*) FILTER (WHERE kind <> 'MINTING') > 1
"""

_ALL_IS_ASKED_FOR: Final = f"""
    SELECT format('entry %s of user %s: %s are accrued, and it is known whereto', e.id, e.user_id, e.accrued)
    FROM rewards.entries e JOIN rewards.users u ON u.user_id = e.user_id
    WHERE e.accrued > 0 AND u.address IS NOT NULL AND e.attempt < {AT_ONCE}
"""

OF_TENANTS: Final[Sequence[Claim]] = (
    (
        "cashback_adds_up",
        "what is earned and not reversed is accrued, being minted or minted, less what is owed, for each user, and the "
        "ledger says so",
        _ADDS_UP,
    ),
    (
        "entries_of_cashback_add_up",
        "an entry is where its lines say, as much as its purchase has earned, and reversed as its refunds say",
        _ENTRIES,
    ),
    (
        "cashback_is_minted_once",
        "an entry is minted once at the most, and each request is made once and ends once",
        _ONE_MINT,
    ),
    (
        "cashback_is_asked_for",
        "nothing is accrued that could be minted",
        _ALL_IS_ASKED_FOR,
    ),
)
"""Name, claim and query."""

# For whoever compares: each request, how far it is, and of how much.
REQUESTS: Final = """
    SELECT request_id, (array_agg(kind ORDER BY kind = 'MINTING'))[1], max(amount)
    FROM rewards.cashback_ledger WHERE request_id IS NOT NULL GROUP BY request_id ORDER BY request_id
"""
