"""How the chain is wired: for those who ask the adapter. What the adapter itself is made of stands in
`assembly.py`, and is loaded by nobody else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dependency_injector import containers, providers

from app.contexts.chain.settings import ChainSettings
from app.platform.postgres.database import Database
from app.platform.process.settings import Settings
from app.platform.process.wiring import Platform

if TYPE_CHECKING:
    from app.contexts.chain.adapters.grpc.client import GrpcChain
    from app.platform.process.opening import Openable

CONNECTIONS = 6


def _client(settings: ChainSettings, openings: "list[Openable]") -> "GrpcChain":
    from app.contexts.chain.adapters.grpc.client import GrpcChain  # noqa: PLC0415 -- gRPC weighs 10 MiB

    client = GrpcChain(settings.endpoint, settings.chain_token, settings.chain_tls_ca)
    openings.append(client)
    return client


class ChainContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=ChainSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)

    registry = platform.registry
    batches = platform.batches
    chain = providers.Singleton(_client, settings, platform.openings)
    """It implements `Chain`. What it needs of the settings is asked for by whoever uses it: `chain_grpc_url` and
    `chain_token`."""
    pool = providers.Singleton(lambda database: database.planning_pool("chain", CONNECTIONS), database)


def make(platform: Platform, database: Database, _: Mapping[str, Any]) -> ChainContainer:
    """The container."""
    settings: Settings = platform.settings()
    return ChainContainer(settings=settings.of(ChainSettings), platform=platform, database=database)
