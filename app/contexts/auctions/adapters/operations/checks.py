"""What `strongbox verify` checks of auctions: alone, and with what funds, ordering and the catalogue tell."""

from app.contexts.auctions.adapters.operations.agreement import LeadersAndHoldsAgree
from app.contexts.auctions.adapters.operations.outcomes import AuctionsAndOrdersAgree, AuctionsAndStockAgree
from app.contexts.auctions.adapters.operations.replay import BidsMakeTheirAuctions
from app.contexts.auctions.adapters.postgres.invariants import of_tenants
from app.contexts.auctions.adapters.postgres.tables import BIDS, EVENTS, OF_A_TENANT, SCHEMA
from app.platform.operations.health import LATE_S
from app.platform.postgres.evidence import Checks, Database
from app.platform.postgres.integrity import query_checks
from app.platform.postgres.walls import walls


def checks_of_auctions(database: Database, recover_after_s: float) -> Checks:
    """The checks over the database with the auctions. Recovery begins so long after something was."""
    return Checks(
        database,
        lambda books: query_checks(books, walls(SCHEMA, OF_A_TENANT, "auctions_{}")),
        append_only=(BIDS, EVENTS),
        of_tenants=of_tenants(recover_after_s + LATE_S),
        agree=lambda before, after, facts: (
            BidsMakeTheirAuctions(after, facts),
            LeadersAndHoldsAgree(before, after, facts),
            AuctionsAndOrdersAgree(before, after, facts),
            AuctionsAndStockAgree(before, after, facts),
        ),
    )
