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
    mints,
    observed,
    purchases,
    quiet,
    reads,
    relay,
    slow_gateway,
    spread,
    steady,
    transfers,
)
from bench.stage import Stage

Scenario = Callable[[Stage], Mapping[str, Measure]]

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "spread": spread.spread,
    "hot": spread.hot,
    "sends": transfers.sends,
    "to-one": transfers.to_one,
    "holds": holds.holds,
    "browse": browsing.browse,
    "list": browsing.list_,
    "checkout": checkouts.checkout,
    "hot-product": checkouts.hot_product,
    "one-auction": auctions.one_auction,
    "purchases": purchases.purchases,
    "mint": mints.mint,
    "live": live.live,
    "logins": logins.logins,
    "quiet": quiet.quiet,
    "steady": steady.steady,
    "endurance": endurance.endurance,
    "relay": relay.relay,
    "audit": audit.audit,
    "reads": reads.reads,
    "slow-gateway": slow_gateway.slow_gateway,
    "observed": observed.observed,
    "growth": growth.growth,
}
