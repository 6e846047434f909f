"""What `strongbox verify` checks of minting."""

from app.contexts.mint.adapters.operations.asked import RequestsAreAskedFor
from app.contexts.mint.adapters.postgres.invariants import queries
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks

REQUESTS = "SELECT request_id, status, address, amount::text, tx_hash FROM mint.mint_requests ORDER BY request_id"


def checks_of_mint(database: Database, outbox_retention_h: float) -> Checks:
    """The checks over the database with the requests."""
    return Checks(
        database,
        lambda books: query_checks(books, queries(outbox_retention_h)),
        facts={"mint.requests": REQUESTS},
        agree=lambda before, after, facts: (RequestsAreAskedFor(before, after, facts),),
    )
