"""What `strongbox verify` checks of webhooks."""

from app.contexts.webhooks.adapters.postgres.invariants import of_tenants
from app.contexts.webhooks.adapters.postgres.tables import OF_A_TENANT, SCHEMA
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls


def checks_of_webhooks(database: Database, keep_d: int) -> Checks:
    """The checks over the database with the endpoints and their deliveries, which are kept for so many days."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "webhooks_{}")),
        of_tenants=of_tenants(keep_d),
    )
