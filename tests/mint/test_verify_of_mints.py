"""What `strongbox verify` finds of requests that an owner has tampered with."""

import pytest

from app.contexts.chain.public import InvalidMint, MintStatus
from app.contexts.mint.adapters.operations.checks import checks_of_mint
from app.main.local.roles import Urls
from app.platform.postgres.evidence import Database
from app.platform.postgres.integrity import snapshot
from tests.mint.ledger import Ledger
from tests.mint.minting import Minting, request
from tests.platform.outbox_fixtures import query

TAMPERINGS = {
    "one_mint_an_entry": [
        "DROP INDEX mint.mint_requests_one_an_entry; UPDATE mint.mint_requests SET entry_id ="
        " (SELECT entry_id FROM mint.mint_requests WHERE status = 'MINTED' AND place = 1), place = 2"
        " WHERE status = 'SUBMITTED'",
        "UPDATE mint.mint_requests SET place = 3 WHERE status = 'SUBMITTED'",
        "DELETE FROM mint.mint_requests WHERE status = 'FAILED' AND place = 1",
    ],
    "mint_requests_are_whole": [
        "ALTER TABLE mint.mint_requests DROP CONSTRAINT mint_requests_settled;"
        " UPDATE mint.mint_requests SET ask_after = NULL WHERE status = 'SUBMITTED'",
        "ALTER TABLE mint.mint_requests DROP CONSTRAINT mint_requests_minted;"
        " UPDATE mint.mint_requests SET tx_hash = NULL WHERE status = 'MINTED'",
        "ALTER TABLE mint.mint_requests DROP CONSTRAINT mint_requests_failed;"
        " UPDATE mint.mint_requests SET reason = NULL WHERE status = 'FAILED'",
        "ALTER TABLE mint.mint_requests DROP CONSTRAINT mint_requests_status;"
        " UPDATE mint.mint_requests SET status = 'LOST' WHERE status = 'SUBMITTED'",
    ],
    "mints_are_told": [
        "DELETE FROM mint.outbox_events WHERE type = 'mint.completed'",
        "UPDATE mint.outbox_events SET type = 'mint.failed' WHERE type = 'mint.completed'",
        "UPDATE mint.outbox_events SET payload = jsonb_set(payload::jsonb, '{data,request_id}', '\"x\"')::json",
        "UPDATE mint.mint_requests SET status = 'SUBMITTED', settled_at = NULL, ask_after = now()"
        " WHERE status = 'MINTED'",
    ],
}  # fmt: skip
CASES = [(name, nth) for name, tamperings in TAMPERINGS.items() for nth in range(len(tamperings))]


@pytest.fixture
async def books(database: Urls) -> Urls:
    """One request that is minted, one that failed and was asked for again, one that is under way."""
    ledger = Ledger()
    minting = Minting(database, ledger)
    minted, failed, open_ = request(), request(), request()
    await minting.hear(minted.document())
    await minting.pursue()
    ledger.refuses = InvalidMint("amount")
    await minting.hear(failed.document())
    ledger.refuses, ledger.confirms = None, False
    await minting.hear(open_.document())
    again = failed.again()
    await minting.hear(again.document())
    ledger.becomes(again.request_id, MintStatus.CONFIRMED)
    await minting.pursue()
    await minting.close()
    return database


async def offended(books: Urls) -> set[str]:
    """The checks that find offenders."""
    found = set()
    checks = checks_of_mint(Database("MINT_DATABASE_URL", books.app_url), 24.0)
    async with snapshot(books.app_url) as session:
        for check in checks.within(session):
            found |= {check.name async for _ in check.offenders()}
    return found


async def test_books_that_nobody_touched_hold(books: Urls) -> None:
    rows = query(books.app_url, "SELECT status, count(*)::int FROM mint.mint_requests GROUP BY status ORDER BY status")
    assert rows == [("FAILED", 1), ("MINTED", 2), ("SUBMITTED", 1)]
    assert await offended(books) == set()


@pytest.mark.parametrize(("name", "nth"), CASES)
async def test_what_an_owner_did_is_named(books: Urls, name: str, nth: int) -> None:
    query(books.owner_url, TAMPERINGS[name][nth])
    assert name in await offended(books)


async def test_events_that_have_left_the_outbox_are_not_missed(books: Urls) -> None:
    query(books.owner_url, "UPDATE mint.mint_requests SET settled_at = now() - interval '25 h' WHERE status = 'MINTED'")
    query(books.owner_url, "DELETE FROM mint.outbox_events WHERE type = 'mint.completed'")
    assert await offended(books) == set()
