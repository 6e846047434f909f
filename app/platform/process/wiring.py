"""What a process has one of, whatever its contexts are: the container that theirs are made from."""

from typing import TYPE_CHECKING

from dependency_injector import containers, providers

from app.platform.cache import make as make_cache
from app.platform.metrics.batches import BatchMetrics
from app.platform.metrics.exposition import make_registry
from app.platform.process.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from app.platform.people import People
    from app.platform.process.opening import Openable


class Platform(containers.DeclarativeContainer):
    """Made lazily: a process pays for what it uses."""

    settings = providers.Dependency(instance_of=Settings)
    tracer: providers.Provider["Tracer | None"] = providers.Object(None)
    registry = providers.Singleton(make_registry)
    batches = providers.Singleton(BatchMetrics, registry)
    people: providers.Provider["People | None"] = providers.Object(None)
    """Who knows people here, if a context does."""
    openings: providers.Provider["list[Openable]"] = providers.Singleton(list)
    """What was asked for here and has to be opened: by the process, once its pools are."""
    cache = providers.Singleton(make_cache, settings, registry, tracer, openings)
