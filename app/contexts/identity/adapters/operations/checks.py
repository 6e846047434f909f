"""What `strongbox verify` checks of people."""

from app.contexts.identity.adapters.postgres.invariants import OF_TENANTS
from app.contexts.identity.adapters.postgres.tables import OF_A_TENANT, SCHEMA
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls

TENANTS = "SELECT id::text FROM identity.tenants ORDER BY id"


def checks_of_identity(database: Database) -> Checks:
    """The checks over the database with the people, which says which tenants there are."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT)),
        of_tenants=OF_TENANTS,
        tenants=TENANTS,
    )
