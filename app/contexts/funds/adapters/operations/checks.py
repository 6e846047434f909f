"""What `strongbox verify` checks of wallets and their ledger."""

from app.contexts.funds.adapters.postgres.invariants import QUERIES
from app.contexts.funds.adapters.postgres.moving_invariants import QUERIES as MOVING
from app.contexts.funds.adapters.postgres.past_invariants import QUERIES as PAST
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks

LEDGER = "ledger_entries"

_HOLDS = """
    SELECT id, context, business_id, status, amount, captured, created_at
    FROM holds WHERE tenant_id = %(tenant)s::uuid ORDER BY id
"""


def checks_of_funds(database: Database) -> Checks:
    """The checks over the database with the ledger."""
    return Checks(
        database,
        lambda books: query_checks(books, (*QUERIES, *MOVING, *PAST)),
        append_only=(LEDGER,),
        facts={"funds.holds": _HOLDS},
    )
