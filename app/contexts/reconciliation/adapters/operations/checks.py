"""What `strongbox verify` checks of reconciliation."""

from app.contexts.reconciliation.adapters.postgres.invariants import OF_TENANTS
from app.contexts.reconciliation.adapters.postgres.tables import OF_A_TENANT, SCHEMA
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls


def checks_of_reconciliation(database: Database) -> Checks:
    """The checks over the database with the runs."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "reconciliation_{}")),
        of_tenants=OF_TENANTS,
    )
