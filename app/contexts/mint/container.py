"""How minting is wired."""

from collections.abc import Mapping
from typing import Any

from dependency_injector import containers, providers

from app.contexts.mint.adapters.chain.guarded import GuardedChain
from app.contexts.mint.adapters.metrics.mints import MintMetrics
from app.contexts.mint.adapters.postgres.requests import PostgresRequests
from app.contexts.mint.application.ask_chain import AskChain
from app.contexts.mint.application.hear import Hear, HearAndAsk
from app.contexts.mint.application.pursue import Pursue
from app.contexts.mint.settings import MintSettings
from app.platform.messaging.inbox_database import Database as Connection
from app.platform.outgoing.breaker import Breaker
from app.platform.postgres.database import Database
from app.platform.process.settings import Settings
from app.platform.process.uuid7 import uuid7
from app.platform.process.wiring import Platform


class MintContainer(containers.DeclarativeContainer):
    """Everything there is one of in a process. Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=MintSettings)
    platform = providers.DependenciesContainer()
    database = providers.Dependency(instance_of=Database)
    chain = providers.DependenciesContainer()

    registry = platform.registry
    metrics = providers.Singleton(MintMetrics, registry)

    # A connection for each who must not wait for the others: what is heard, what is pursued, what is looked at.
    _connection = providers.Factory(Connection, database.provided.url, "strongbox-mint")
    hearing_requests = providers.Singleton(PostgresRequests, _connection, uuid7)
    pursuing_requests = providers.Singleton(PostgresRequests, _connection, uuid7)
    seen_requests = providers.Singleton(PostgresRequests, _connection, uuid7)

    breaker = providers.Singleton(
        Breaker, settings.provided.mint_breaker_failures, settings.provided.mint_breaker_reset_s
    )
    ask = providers.Singleton(
        AskChain,
        providers.Singleton(GuardedChain, chain.chain, breaker, metrics.provided.called),
        settings.provided.mint_timeout_s,
    )
    hear = providers.Singleton(Hear, hearing_requests)
    hear_and_ask = providers.Singleton(HearAndAsk, hearing_requests, ask, metrics.provided.settled)
    pursue = providers.Singleton(Pursue, pursuing_requests, ask, metrics.provided.settled)


def make(platform: Platform, database: Database, around: Mapping[str, Any]) -> MintContainer:
    """The container."""
    settings: Settings = platform.settings()
    return MintContainer(
        settings=settings.of(MintSettings), platform=platform, database=database, chain=around["chain"]
    )
