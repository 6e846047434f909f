"""What is asked for every quarter of a second is found by index, however much was confirmed."""

import psycopg
import pytest

from app.contexts.chain.adapters.postgres import figures, filling, following, signing
from app.main.local.roles import Urls
from app.platform.postgres.pipeline import Statement
from tests.plans import pages_of, plan_of

MANY = 20_000
MOST_PAGES = 60

_FILL = f"""
    INSERT INTO chain.wallet_nonces (address, first_nonce, next_nonce) VALUES ('0x{"aa" * 20}', 0, {MANY + 1});
    INSERT INTO chain.blockchain_transactions
        (request_id, recipient, amount, status, sender, nonce, raw, tx_hash, max_fee_per_gas, max_priority_fee_per_gas,
         landed_hash, block_number, signed_at, broadcast_at)
    SELECT gen_random_uuid(), '0x{"bb" * 20}', n, CASE WHEN n > {MANY} - 3 THEN 'BROADCAST' ELSE 'CONFIRMED' END,
           '0x{"aa" * 20}', n, decode(repeat('ab', 200), 'hex'), '0x' || n, 1, 1,
           CASE WHEN n <= {MANY} - 3 THEN '0x' || n END, CASE WHEN n <= {MANY} - 3 THEN n END, now(), now()
    FROM generate_series(1, {MANY}) n;
"""
ID = "00000000-0000-4000-8000-000000000001"
HOT: dict[str, tuple[Statement, tuple[object, ...]]] = {
    "known": (signing.KNOWN, ([ID],)),
    "taken": (signing.TAKEN, (["0x" + "aa" * 20], [MANY], [f"0x{MANY}"])),
    "senders": (following.SENDERS, ()),
    "open": (following.OPEN_MINTS, ([ID], 1_000)),
    "note": (following.NOTE, ([ID], ["MINED"], ["0x1"], [1], [None])),
    "old": (filling.OLD, 4 * ("0x" + "aa" * 20, MANY - 9, MANY - 5)),
    "backlog": (figures.BACKLOG, (15.0,)),
}


@pytest.fixture(scope="module")
def filled(module_database: Urls) -> Urls:
    """A database with many mints that are final, and a few that are not."""
    with psycopg.connect(module_database.owner_url, autocommit=True) as owner:
        owner.execute(_FILL.encode())
        owner.execute("VACUUM ANALYZE chain.blockchain_transactions")
    return module_database


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_reads_few_pages(filled: Urls, name: str) -> None:
    statement, values = HOT[name]
    plan = plan_of(filled.app_url, "force_custom_plan", statement.text, values, "ANALYZE, BUFFERS")
    assert "Seq Scan on blockchain_transactions" not in plan, plan
    assert pages_of(plan) <= MOST_PAGES, plan
