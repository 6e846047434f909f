"""What `strongbox verify` checks of cashback."""

from app.contexts.rewards.adapters.postgres.invariants import OF_TENANTS, REQUESTS
from app.contexts.rewards.adapters.postgres.tables import LEDGER, OF_A_TENANT, SCHEMA
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls


def checks_of_rewards(database: Database) -> Checks:
    """The checks over the database with the ledger of cashback."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "rewards_{}")),
        append_only=(LEDGER,),
        of_tenants=OF_TENANTS,
        facts={"rewards.requests": REQUESTS},
    )
