"""What is measured, by name. A scenario plays on a stage, and answers its measures by name."""

from collections.abc import Callable, Mapping
from typing import Final

from bench.results import Measure
from bench.scenarios import (
    auctions,
    audit,
    browsing,
    checkouts,
    endurance,
    growth,
    holds,
    live,
    logins,
    looking_back,
    mints,
    observed,
    purchases,
    quiet,
    reads,
    reconcile,
    refunds,
    relay,
    slow_gateway,
    spread,
    steady,
    transfers,
    webhooks,
    workers,
)
from bench.stage import Stage

Scenario = Callable[[Stage], Mapping[str, Measure]]

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "spread": spread.spread,
    "hot": spread.hot,
    "workers": workers.workers,
    "sends": transfers.sends,
    "to-one": transfers.to_one,
    "holds": holds.holds,
    "payouts": looking_back.payouts,
    "statement": looking_back.statement,
    "at": looking_back.at,
    "browse": browsing.browse,
    "list": browsing.list_,
    "checkout": checkouts.checkout,
    "hot-product": checkouts.hot_product,
    "one-auction": auctions.one_auction,
    "purchases": purchases.purchases,
    "refunds": refunds.refunds,
    "mint": mints.mint,
    "live": live.live,
    "webhooks": webhooks.webhooks,
    "logins": logins.logins,
    "quiet": quiet.quiet,
    "steady": steady.steady,
    "endurance": endurance.endurance,
    "relay": relay.relay,
    "audit": audit.audit,
    "reads": reads.reads,
    "reconcile": reconcile.reconcile,
    "slow-gateway": slow_gateway.slow_gateway,
    "observed": observed.observed,
    "growth": growth.growth,
}
