"""What has to hold of what was signed, as queries that find what contradicts it."""

from collections.abc import Sequence
from typing import Final

from app.contexts.chain.adapters.postgres.rows import OPEN

# All nonces that are known to be given out: to a mint, to one before it, to the contract's own, or to somebody else.
_GIVEN: Final = """
    SELECT sender, nonce FROM chain.blockchain_transactions WHERE sender IS NOT NULL
    UNION SELECT sender, nonce FROM chain.superseded_transactions
    UNION SELECT sender, nonce FROM chain.contracts WHERE sender IS NOT NULL
    UNION SELECT sender, nonce FROM chain.filling_transactions
    UNION SELECT address, generate_series(first_nonce, last_nonce) FROM chain.foreign_nonces
"""

QUERIES: Final[Sequence[tuple[str, str, str]]] = (
    (
        "chain_nonces_have_no_gap",
        "every nonce of a key that was given out was given to something that was signed with it",
        f"""
        SELECT concat(w.address, ' has used no nonce ', n.nonce)
        FROM chain.wallet_nonces w, generate_series(w.first_nonce, w.next_nonce - 1) AS n (nonce)
        WHERE NOT EXISTS (SELECT FROM ({_GIVEN}) g WHERE g.sender = w.address AND g.nonce = n.nonce)
        """,
    ),
    (
        "chain_nonces_are_given_out_once",
        "a nonce is used again by a replacement of the same request alone, and none is used that was not given out",
        """
        WITH used AS (
            SELECT sender, nonce, request_id FROM chain.blockchain_transactions WHERE sender IS NOT NULL
            UNION SELECT sender, nonce, request_id FROM chain.superseded_transactions
            UNION SELECT sender, nonce, NULL FROM chain.contracts WHERE sender IS NOT NULL
            UNION SELECT sender, nonce, NULL FROM chain.filling_transactions
        )
        SELECT concat('nonce ', sender, '/', nonce, ' is that of ', count(*), ' requests')
        FROM used GROUP BY sender, nonce HAVING count(*) > 1
        UNION ALL
        SELECT concat('nonce ', u.sender, '/', u.nonce, ' was never given out')
        FROM used u JOIN chain.wallet_nonces w ON w.address = u.sender WHERE u.nonce >= w.next_nonce
        """,
    ),
    (
        "chain_has_what_was_asked_for",
        "no mint has failed as the chain has another amount or another address for its request",
        """
        SELECT concat('request ', request_id, ' was minted with another content by ', landed_hash)
        FROM chain.blockchain_transactions WHERE status = 'FAILED' AND failure = 'OTHER_CONTENT'
        """,
    ),
)

SUMS: Final = f"""
    SELECT coalesce(sum(amount) FILTER (WHERE status = 'CONFIRMED'), 0)::text,
           coalesce(sum(amount) FILTER (WHERE status IN {OPEN}), 0)::text
    FROM chain.blockchain_transactions
"""
"""Base units that are confirmed, and that may be."""

MINTS: Final = """
    SELECT request_id, status, recipient, amount::text, landed_hash FROM chain.blockchain_transactions
    ORDER BY request_id
"""
