"""What `strongbox verify` checks of carts and orders: alone, and with what funds and the catalogue tell."""

from app.contexts.ordering.adapters.operations.agreement import OrdersAndHoldsAgree, OrdersAndStockAgree
from app.contexts.ordering.adapters.postgres.invariants import of_tenants
from app.contexts.ordering.adapters.postgres.tables import OF_A_TENANT, SCHEMA
from app.platform.operations.health import LATE_S
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls

_SALES = """
    SELECT c.sale_id, c.sale_context, o.id, o.user_id, o.seller_id, o.total, o.hold_id
    FROM ordering.checkouts c
    JOIN ordering.orders o ON o.bucket = c.bucket AND o.user_id = c.user_id AND o.checkout_id = c.id
    WHERE c.sale_id IS NOT NULL
    ORDER BY c.sale_id
"""


def checks_of_ordering(database: Database, recover_after_s: float) -> Checks:
    """The checks over the database with the orders. Recovery begins so long after something was."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "ordering_{}")),
        of_tenants=of_tenants(recover_after_s + LATE_S),
        facts={"ordering.sales": _SALES},
        agree=lambda before, after, facts: (
            OrdersAndHoldsAgree(before, after, facts),
            OrdersAndStockAgree(before, after, facts),
        ),
    )
