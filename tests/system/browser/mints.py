"""Requests for tokens, and what was signed for them, as the console shows them."""

from uuid import uuid4

import psycopg

from tests.chain.adapter import SOMEBODY
from tests.system.e2e.house import House

_KEY = "0x" + "7c" * 20
_HASH = "0x" + 32 * "5e"
_ASKED = """
    INSERT INTO mint.mint_requests (request_id, entry_id, user_id, place, address, amount, status, reason, created_at,
                                    submitted_at, settled_at)
    VALUES (%(id)s, gen_random_uuid(), gen_random_uuid(), 1, %(to)s, 10::numeric ^ 70, 'FAILED', 'REVERTED', now(),
            now(), now())
"""
_SIGNED = """
    INSERT INTO chain.blockchain_transactions
        (request_id, recipient, amount, status, sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas,
         landed_hash, block_number, failure, signed_at, broadcast_at)
    VALUES (%(id)s, %(to)s, 10::numeric ^ 70, 'FAILED', %(key)s, (random() * 1e9)::bigint, '', %(hash)s, 30000000000,
            1000000000, %(hash)s, 7, 'REVERTED', now(), now())
"""


def mints(house: House) -> tuple[str, ...]:
    """The pages of one that failed, and the lists with it."""
    known = {"id": uuid4(), "to": SOMEBODY, "key": _KEY, "hash": _HASH}
    with psycopg.connect(house.database.app_url) as connection:
        connection.execute(_ASKED, known)
        connection.execute(
            "INSERT INTO chain.wallet_nonces (address, first_nonce, next_nonce) VALUES (%(key)s, 0, 2)"
            " ON CONFLICT DO NOTHING", known,
        )  # fmt: skip
        connection.execute(_SIGNED, known)
    return "/mints", f"/mints?address={SOMEBODY}", f"/mints/{known['id']}", "/chain", f"/chain/{known['id']}"
