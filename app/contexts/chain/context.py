"""What the chain brings into the house."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.contexts.chain.adapters.postgres.tables import CHAIN as TABLES
from app.contexts.chain.settings import ChainSettings
from app.platform.context import Context, Show, StandIn, Work, Worker
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from app.contexts.chain.container import ChainContainer
    from app.platform.console.page import Page
    from app.platform.operations.health import Part
    from app.platform.postgres.database import Database
    from app.platform.postgres.evidence import Checks
    from app.platform.postgres.evidence import Database as Evidence
    from app.platform.process.wiring import Platform


def _container(platform: "Platform", database: "Database", around: Mapping[str, Any]) -> "ChainContainer":
    from app.contexts.chain.container import make

    return make(platform, database, around)


def _work(container: "ChainContainer", show: Show) -> Work:
    from app.contexts.chain.processes import work

    return work(container, show)


def _pages(container: "ChainContainer", _: Sequence[str]) -> "Sequence[Page]":
    from app.contexts.chain.adapters.console.pages import pages

    return pages(container.database().url, container.settings())


def _checks(settings: Settings, database: "Evidence") -> "Checks":
    from app.contexts.chain.adapters.operations.checks import checks_of_chain

    return checks_of_chain(database, settings.of(ChainSettings))


def _parts(settings: Settings, url: str) -> "Sequence[Part]":
    from app.contexts.chain.adapters.operations.parts import parts_of_chain

    return parts_of_chain(url, settings.of(ChainSettings))


def _local(settings: Settings, folder: Path) -> Mapping[str, str]:
    from app.contexts.chain.adapters.evm.local import adapter_of_a_run

    return adapter_of_a_run(settings.of(ChainSettings), folder)


def _of_the_node(settings: Settings, folder: Path) -> Mapping[str, str]:
    from app.contexts.chain.adapters.evm.local import node_of_a_run

    return node_of_a_run(settings.of(ChainSettings), folder)


CHAIN = Context["ChainContainer"](
    name="chain",
    settings=ChainSettings,
    tables=TABLES,
    container=_container,
    pages=_pages,
    checks=_checks,
    parts=_parts,
    local=_local,
    stand_ins=(
        StandIn(
            name="node",
            setting="EVM_RPC_URL",
            port="DEV_CHAIN_PORT",
            default_port=8545,
            command=("-m", "app.contexts.chain.dev_chain"),
            ready="/health",
            environment=_of_the_node,
            prepared_by=("chain", "deploy"),
            gives="CHAIN_CONTRACT",
        ),
    ),
    workers=(
        Worker(
            name="chain",
            help="Serve the chain: sign mints, send them, follow them until they are confirmed.",
            required=("evm_rpc_url", "chain_id", "chain_contract", "chain_key_file", "chain_token"),
            metrics_port="chain_metrics_port",
            local_metrics_port=9105,
            local_ports={"CHAIN_GRPC_PORT": 50051},
            work=_work,
            commands={
                "address": "app.contexts.chain.adapters.cli.address",
                "key": "app.contexts.chain.adapters.cli.key",
                "deploy": "app.contexts.chain.adapters.cli.contract",
                "show": "app.contexts.chain.adapters.cli.show",
                "rebuild": "app.contexts.chain.adapters.cli.contract",
            },
        ),
    ),
)
