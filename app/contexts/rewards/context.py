"""What rewards bring into the house."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final

from app.contexts.rewards.adapters.postgres.tables import REWARDS as TABLES
from app.contexts.rewards.public import EVENTS
from app.contexts.rewards.settings import RewardsSettings
from app.kernel.topology import Exchange, Publication, Queue
from app.platform.context import Consumer, Context, Hearing, Http
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.rewards.container import RewardsContainer
    from app.platform.console.page import Page
    from app.platform.http.operations import Operation
    from app.platform.metrics.gauges import Look
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform

# As a stranger would hear them: by the names that their pages of events have.
HEARS: Final = {
    "payments.events": ("payment.completed", "refund.completed"),
    "market.events": ("order.completed",),
    "identity.events": ("user.*",),
    "mint.events": ("mint.*",),
}


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "RewardsContainer":
    from app.contexts.rewards.container import make

    return make(platform, database, around)


def _operations(container: "RewardsContainer", http: Http) -> "Sequence[Operation]":
    from app.contexts.rewards.adapters.http.operations import operations

    return operations(container, http) if http.people else []


def _serving(container: "RewardsContainer") -> "AbstractAsyncContextManager[Sequence[Look]]":
    from app.contexts.rewards.processes import serving

    return serving(container)


def _hearing(container: "RewardsContainer", _: bool) -> Hearing:
    from app.contexts.rewards.processes import hearing

    return hearing(container)


def _pages(container: "RewardsContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.rewards.adapters.console.pages import pages

    return pages(container.rules(), container.tenants(), container.tell_cashback())


def _checks(_: Settings, database: "Evidence") -> "Checks":
    from app.contexts.rewards.adapters.operations.checks import checks_of_rewards

    return checks_of_rewards(database)


REWARDS = Context["RewardsContainer"](
    name="rewards",
    needs=("chain",),
    settings=RewardsSettings,
    tables=TABLES,
    container=_container,
    operations=_operations,
    publication=Publication("rewards", EVENTS),
    serving=_serving,
    consumers=(
        Consumer(
            name="rewards",
            help="Give cashback for payments and orders, and keep what became of what is minted.",
            hears=[
                Exchange(name, (Queue("rewards.queue", "rewards.dlq", keys, yields=True),))
                for name, keys in HEARS.items()
            ],
            metrics_port="rewards_metrics_port",
            local_metrics_port=9107,
            work=_hearing,
        ),
    ),
    pages=_pages,
    commands={"cashback": "app.contexts.rewards.adapters.cli.cashback"},
    checks=_checks,
)
