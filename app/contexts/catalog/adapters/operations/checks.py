"""What `strongbox verify` checks of the catalogue."""

from app.contexts.catalog.adapters.postgres.invariants import OF_TENANTS
from app.contexts.catalog.adapters.postgres.tables import OF_A_TENANT, SCHEMA
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls

_RESERVED = """
    SELECT business_id, context, name, product_id, qty, status FROM catalog.reservation_lines ORDER BY business_id
"""


def checks_of_the_catalogue(database: Database) -> Checks:
    """The checks over the database with the catalogue."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "catalog_{}")),
        of_tenants=OF_TENANTS,
        facts={"catalog.reserved": _RESERVED},
    )
