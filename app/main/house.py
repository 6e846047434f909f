"""The composition root: the contexts of a process, each with its container. Nobody imports it but the processes."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dependency_injector import providers

from app.main import contexts
from app.platform.context import Context
from app.platform.postgres.database import Database
from app.platform.postgres.pool import Pool
from app.platform.process.settings import InvalidSettings, Settings
from app.platform.process.wiring import Platform

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from app.platform.http.services import Following
    from app.platform.people import People


class House:
    """The contexts that are switched on, and what they are made from. Made lazily: a process pays for what it uses."""

    def __init__(self, settings: Settings, tracer: "Tracer | None" = None, only: Sequence[str] = ()) -> None:
        self.settings = settings
        self.contexts: Sequence[Context[Any]] = contexts.of(settings)
        self.served = [context for context in self.contexts if not only or context.name in only]
        """Those whose operations are served; all, unless `only` some are."""
        self.at_work = [context for context in self.contexts if context in self.served or context.people]
        """What serving them takes: whoever knows people as well."""
        self.platform = Platform(settings=settings)
        self.platform.tracer.override(providers.Object(tracer))
        self.platform.people.override(providers.Callable(lambda: self.people))
        self._databases: dict[str, Database] = {}
        self._containers: dict[str, Any] = {}

    def container(self, name: str) -> Any:
        """The container of a context."""
        if name not in self._containers:
            context = next((each for each in self.contexts if each.name == name), None)
            if context is None:
                raise InvalidSettings(f"CONTEXTS: {name} is switched off")
            around = {need: self.container(need) for need in context.needs}
            for other in self.contexts:
                around |= {what: make() for (to, what), make in other.gives.items() if to == name}
            self._containers[name] = context.container(self.platform, self.database(name), around)
        return self._containers[name]

    def database(self, name: str) -> Database:
        """The database of a context. Contexts that share it share its pools."""
        return self.at(self.settings.home(name).url)

    def at(self, url: str) -> Database:
        """The database at the URL."""
        if url not in self._databases:
            self._databases[url] = Database(url, self.platform.batches())
        return self._databases[url]

    @cached_property
    def people(self) -> "People | None":
        """Who knows people, if a context that is switched on does."""
        makers = ((each.people, self.container(each.name)) for each in self.contexts if each.people)
        return next((make(container) for make, container in makers), None)

    @property
    def follow(self) -> "Following | None":
        """What follows requests, where tracing is on."""
        if (tracer := self.platform.tracer()) is None:
            return None
        from app.platform.tracing.requests import TracedRequests  # noqa: PLC0415 -- only when it is wanted

        return TracedRequests(tracer)

    @property
    def pools(self) -> list[Pool]:
        """All pools that were asked for."""
        return [pool for database in self._databases.values() for pool in database.pools]

    async def open(self, stack: AsyncExitStack) -> list[Pool]:
        """Open all pools that were asked for, and what of the platform was; the stack closes them."""
        for pool in self.pools:
            await pool.open()
            stack.push_async_callback(pool.close)
        for each in self.platform.openings():
            await stack.enter_async_context(each.opened())
        return self.pools
