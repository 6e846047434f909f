"""What is measured, by name. A scenario plays on a stage, and answers its measures by name."""

from collections.abc import Callable, Mapping
from typing import Final

from bench.results import Measure
from bench.scenarios import audit, endurance, growth, observed, quiet, reads, relay, slow_gateway, spread, steady
from bench.stage import Stage

Scenario = Callable[[Stage], Mapping[str, Measure]]

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "spread": spread.spread,
    "hot": spread.hot,
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
