"""What minting brings into the house."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.contexts.mint.adapters.postgres.tables import MINT as TABLES
from app.contexts.mint.public import EVENTS
from app.contexts.mint.settings import MintSettings
from app.kernel.topology import Exchange, Publication, Queue
from app.platform.context import Consumer, Context, Hearing
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.mint.container import MintContainer
    from app.platform.console.page import Page
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "MintContainer":
    from app.contexts.mint.container import make

    return make(platform, database, around)


def _hearing(container: "MintContainer", in_process: bool) -> Hearing:
    from app.contexts.mint.processes import hearing

    return hearing(container, in_process)


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.mint.adapters.operations.checks import checks_of_mint

    return checks_of_mint(database, settings.outbox_retention_h)


def _pages(container: "MintContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.mint.adapters.console.pages import pages

    return pages(container.database().url)


MINT = Context["MintContainer"](
    name="mint",
    needs=("chain",),
    settings=MintSettings,
    tables=TABLES,
    container=_container,
    publication=Publication("mint", EVENTS),
    consumers=(
        Consumer(
            name="mint",
            help="Have the tokens minted that are asked for, and tell once they are on the chain.",
            hears=(Exchange("rewards.events", (Queue("mint.queue", "mint.dlq", ("mint.requested",)),)),),
            required=("chain_grpc_url", "chain_token"),
            metrics_port="mint_metrics_port",
            local_metrics_port=9106,
            work=_hearing,
        ),
    ),
    pages=_pages,
    checks=_checks,
    commands={"mint": "app.contexts.mint.adapters.cli.mint"},
)
